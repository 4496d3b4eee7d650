// Targets that read text: listings of the system's programs and files, filters, themes, domain lists, and the sanitiser itself.

import { parseNetstat, parseRouteGet } from '../../../src/capture/devices/macos.ts';
import { countersOf } from '../../../src/capture/program.ts';
import { completions } from '../../../src/filter/completions.ts';
import { compileFilter } from '../../../src/filter/filter.ts';
import { importV2fly } from '../../../src/identify/category/v2fly.ts';
import { parseArp, parseNdp, parseProcArp } from '../../../src/identify/place/neighbours.ts';
import { containerOf, unitOf } from '../../../src/identify/process/linux/containers/cgroup.ts';
import { scriptOf } from '../../../src/identify/process/linux/procfs/process.ts';
import { parseProcNet } from '../../../src/identify/process/linux/procfs/tables.ts';
import { parseLsof } from '../../../src/identify/process/macos/lsof.ts';
import { parseNettop } from '../../../src/identify/process/macos/nettop.ts';
import { parsePs } from '../../../src/identify/process/macos/ps.ts';
import { SocketTable } from '../../../src/identify/process/socket-table.ts';
import { NetmonError } from '../../../src/model/errors.ts';
import { sanitize } from '../../../src/net/text.ts';
import { parseTheme } from '../../../src/view/text/theme.ts';
import { FILTERS, LISTINGS } from './seeds.ts';
import { type FuzzTarget, hold } from './target.ts';

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;
const safe = (text: string | null | undefined): void =>
  hold(text == null || (!UNSAFE.test(text) && text.length <= 512), 'unsafe text');
const decoder = new TextDecoder('utf-8');

const SUBJECT = {
  app: 'curl',
  host: 'www.example.com',
  local: { address: '10.0.0.1', port: 40_000 },
  remote: { address: '192.0.2.1', port: 443 },
  protocol: 'tcp',
  rxBytes: 1,
  firstSeen: 0,
};

function target(
  name: string,
  seeds: readonly Uint8Array[],
  weight: number,
  read: (text: string, bytes: Uint8Array) => void,
): FuzzTarget {
  return {
    name,
    seeds,
    weight,
    run: (bytes, from, to) => {
      const part = bytes.subarray(from, to);
      read(decoder.decode(part), part);
    },
  };
}

/** All of them. */
export function textTargets(): FuzzTarget[] {
  const ends = new Int32Array(8);
  return [
    target('programs', LISTINGS, 2, (text) => {
      for (const { pid, name } of [...parseNettop(text).records, ...parseLsof(text)]) {
        hold(Number.isSafeInteger(pid) && pid >= 0, 'a pid');
        safe(name);
      }
      for (const { exe, name } of parsePs(text)) {
        safe(exe);
        safe(name);
      }
      safe(parseRouteGet(text));
      for (const row of parseNetstat(text)) safe(row.name);
      countersOf(text);
    }),
    target('system-files', LISTINGS, 2, (text, bytes) => {
      for (const parse of [parseProcArp, parseArp, parseNdp])
        for (const { mac } of parse(text)) hold(mac > 0 && mac < 2 ** 48, 'a mac');
      safe(unitOf(text));
      safe(containerOf(text)?.id ?? null);
      safe(scriptOf('/usr/bin/python3', text));
      const table = new SocketTable();
      for (const six of [false, true]) parseProcNet(bytes, bytes.length, 6, six, ends, table);
    }),
    target('filters', FILTERS, 2, (text) => {
      const result = compileFilter(text);
      if (result.ok) result.filter.matches(SUBJECT, 1000);
      else hold(result.column >= 0 && result.column <= text.length && result.message !== '', 'where it is wrong');
      completions(text, Math.min(3, text.length));
    }),
    target('themes', LISTINGS, 1, (text) => void parseTheme('x', text)),
    target('domain-lists', LISTINGS, 1, (text) => {
      try {
        importV2fly({ path: 'list', text }, () => null);
      } catch (thrown) {
        if (!(thrown instanceof NetmonError)) throw thrown;
      }
    }),
    target('sanitiser', LISTINGS, 1, (text, bytes) => {
      safe(sanitize(text));
      safe(sanitize(Buffer.from(bytes).toString('utf16le')));
    }),
  ];
}
