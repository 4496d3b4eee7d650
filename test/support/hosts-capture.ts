// A capture of five minutes in which one machine talks to thirty hosts, for runs of the whole program that need rows on the screen.

import { writeFileSync } from 'node:fs';
import { pcapFile } from './capture-writer.ts';
import { ethernet, ipv4, udp } from './frames.ts';

/** 2026-01-31 14:03:22 UTC: the first packet. */
const NOON = Date.UTC(2026, 0, 31, 14, 3, 22);
const HOSTS = 30;

/** Writes it. Its hosts are 198.51.100.0 to .29. */
export function writeHostsCapture(path: string): void {
  const frame = (i: number) =>
    ethernet(
      {},
      ipv4(
        { src: '10.0.0.1', dst: `198.51.100.${i % HOSTS}` },
        udp({ sport: 5000, dport: 443 }, new Uint8Array(100 + (i % 700))),
      ),
    );
  writeFileSync(path, pcapFile({ records: Array.from({ length: 6000 }, (_, i) => ({ time: NOON + i * 50, data: frame(i) })) }));
}
