import { describe, expect, it } from 'vitest';
import { Directory, Users } from '../../../../../src/identify/process/directory.ts';
import { OlderSockets } from '../../../../../src/identify/process/linux/older-sockets.ts';
import { procAt } from '../../../../../src/identify/process/linux/procfs/proc.ts';
import { PROTOCOL } from '../../../../../src/net/numbers.ts';
import { fakeRoot } from '../../../../support/fake-edges.ts';
import { addresses } from '../../../../support/packets.ts';

const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
/** 10.0.0.1:40000 to 192.0.2.80:443, and a listener on port 22. */
const TCP_FILE = `${HEADER}   0: 0100000A:9C40 500200C0:01BB 01 00000000:00000000 00:00000000 00000000     0        0 7001 1
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7002 1
`;

/** A process with one socket. @param start ticks; the machine has been up for 100 s */
function process(pid: number, name: string, inode: number, start: number): Record<string, string> {
  return {
    [`proc/${pid}/stat`]: `${pid} (${name}) ${['S', '1', ...new Array(17).fill('0'), String(start)].join(' ')}\n`,
    [`proc/${pid}/exe`]: `-> /bin/${name}`,
    [`proc/${pid}/fd/3`]: `-> socket:[${inode}]`,
  };
}

function olderSockets(files: Record<string, string>) {
  const root = fakeRoot({ 'proc/uptime': '100.00 50.00\n', 'proc/net/tcp': TCP_FILE, ...files });
  const directory = new Directory(new Users(`${root}/passwd`));
  const older = new OlderSockets(directory, procAt(`${root}/proc`));
  const owner = (ends: Int32Array, localPort: number, remotePort: number) => {
    const found = older.find(PROTOCOL.TCP, ends, 0, localPort, 4, remotePort);
    return found < 0 ? null : [directory.process(found)?.name, older.match];
  };
  return { older, owner };
}

const ENDS = addresses('10.0.0.1', '192.0.2.80');

describe('OlderSockets', () => {
  it('knows a connection and a listener', () => {
    const { owner } = olderSockets({ ...process(10, 'curl', 7001, 50), ...process(11, 'sshd', 7002, 9) });
    expect([owner(ENDS, 40_000, 443), owner(ENDS, 22, 5000)]).toEqual([
      ['curl', 'exact'],
      ['sshd', 'listener'],
    ]);
  });

  it('knows nothing about a socket that didn’t exist', () => {
    const { owner } = olderSockets(process(10, 'curl', 7001, 50));
    expect(owner(ENDS, 40_001, 443)).toBeNull();
  });

  it('knows nothing about a socket whose owner it may not see', () => {
    const { owner } = olderSockets({});
    expect(owner(ENDS, 40_000, 443)).toBeNull();
  });

  it('doesn’t take a later process for one that is gone', () => {
    const { owner } = olderSockets(process(10, 'other', 7001, 10_500));
    expect(owner(ENDS, 40_000, 443)).toBeNull();
  });

  it('works without procfs', () => {
    const { older, owner } = olderSockets({ 'proc/net/tcp': '' });
    older.work();
    expect(owner(ENDS, 40_000, 443)).toBeNull();
  });
});
