// Listening sockets from what lsof prints on a Mac.

import { afterAll, describe, expect, it } from 'vitest';
import { Users } from '../../../../../src/identify/process/directory.ts';
import { Listeners } from '../../../../../src/identify/process/listening/listeners.ts';
import { LsofListeningSource } from '../../../../../src/identify/process/listening/lsof-source.ts';
import { removeFakeRoots } from '../../../../support/fake-edges.ts';
import { programs } from '../polled.ts';

afterAll(removeFakeRoots);

/** As macOS prints it with LSOF_ARGUMENTS: a service on all addresses, twice; a helper that is connected and waits for mDNS; a forked server. */
const RAPPORTD = ['p455', 'crapportd', 'u501', 'f10', 'tIPv4', 'PTCP', 'n*:49159', 'TST=LISTEN', 'TQR=0', 'TQS=0'];
const RAPPORTD6 = ['f11', 'tIPv6', 'PTCP', 'n*:49159', 'TST=LISTEN', 'TQR=0', 'TQS=0'];
const CHROME = [
  ...['p1190', 'cGoogle Chrome Helper', 'u501', 'f29', 'tIPv4', 'PTCP', 'n192.168.1.10:61472->203.0.113.52:443'],
  ...['TST=ESTABLISHED', 'TQR=0', 'TQS=0', 'f30', 'tIPv6', 'PUDP', 'n*:5353', 'f31', 'tIPv4', 'PUDP', 'n*:*'],
];
const POSTGRES = ['f7', 'tIPv4', 'PTCP', 'n127.0.0.1:5432', 'TST=LISTEN', 'f8', 'tIPv6', 'PTCP', 'n[::1]:5432', 'TST=LISTEN'];
const SSHD = ['p80', 'clau\\x6echd', 'u0', 'f5', 'tIPv6', 'PTCP', 'n[fe80:4::aede:48ff:fe00:1122]:22', 'TST=LISTEN'];

/** @param outputs of one run after the other; the last one stays */
function listening(outputs: readonly (readonly string[] | 'fails')[], euid = 0) {
  let runs = 0;
  const edges = programs(
    {
      lsof: () => {
        const lines = outputs[Math.min(runs++, outputs.length - 1)] ?? [];
        return lines === 'fails' ? { status: null, failure: 'EACCES' } : { stdout: `${lines.join('\n')}\n` };
      },
    },
    euid,
  );
  const paths = new Map([
    [1190, '/Applications/Google Chrome.app/Contents/Helpers/Google Chrome Helper.app/Contents/MacOS/Google Chrome Helper'],
  ]);
  const source = new LsofListeningSource(edges, (pid) => paths.get(pid) ?? null);
  const listeners = new Listeners(source, new Users('/nonexistent', new Map([[501, 'ann']])), null);
  /** New listeners of a turn, after lsof answered. */
  const turn = async (now: number, time: number) => {
    const early = listeners.work(now, time);
    await new Promise(setImmediate);
    return [...early, ...listeners.work(now + 1, time)];
  };
  const rows = () =>
    listeners.rows?.map(({ protocol, address, port, reach, app, pid, user, since }) =>
      [protocol, address, port, reach, app, pid, user, since ?? 'before'].join(' '),
    );
  return { edges, listeners, source, turn, rows };
}

describe('listeners on a Mac', () => {
  it('are those of lsof that wait, one for both families, folded into their apps', async () => {
    const { turn, rows, edges } = listening([
      [
        ...RAPPORTD,
        ...RAPPORTD6,
        ...CHROME,
        'p53245',
        'cpostgres',
        'u502',
        ...POSTGRES,
        'p53246',
        'cpostgres',
        'u502',
        ...POSTGRES,
        ...SSHD,
      ],
    ]);
    expect(await turn(0, 1000)).toEqual([]);
    expect(rows()).toEqual([
      'tcp fe80::aede:48ff:fe00:1122 22 network launchd 80 0 before',
      'udp * 5353 everywhere Google Chrome 1190 ann before',
      'tcp 127.0.0.1 5432 loopback postgres 53245 502 before',
      'tcp 127.0.0.1 5432 loopback postgres 53246 502 before',
      'tcp ::1 5432 loopback postgres 53245 502 before',
      'tcp ::1 5432 loopback postgres 53246 502 before',
      'tcp * 49159 everywhere rapportd 455 ann before',
    ]);
    expect(edges.ran).toEqual(['lsof -nP -w -i4 -i6 -F pcuPnTt']);
  });

  it('are new when a later list has them, and known again when they come back', async () => {
    const { turn, rows, edges } = listening([RAPPORTD, [...RAPPORTD, ...SSHD], RAPPORTD, [...RAPPORTD, ...SSHD]]);
    await turn(0, 1000);
    expect(await turn(30_000, 31_000)).toEqual([]); // lsof is dear: once a minute
    expect(edges.ran.length).toBe(1);
    expect((await turn(61_000, 62_000)).map(({ app, since }) => [app, since])).toEqual([['launchd', 62_000]]);
    expect(rows()?.length).toBe(2);
    expect(await turn(122_000, 123_000)).toEqual([]);
    expect(rows()?.length).toBe(1);
    expect((await turn(183_000, 184_000)).map(({ since }) => since)).toEqual([184_000]);
  });

  it('say what they lack: without root those of others, and all where lsof fails', async () => {
    const own = listening([RAPPORTD], 501);
    await own.turn(0, 0);
    expect(own.listeners.note).toBe('lsof lists only your own processes');
    const broken = listening(['fails', RAPPORTD]);
    await broken.turn(0, 0);
    expect([broken.listeners.rows, broken.listeners.failure]).toEqual([null, "lsof failed: it can't be run (EACCES)"]);
    await broken.turn(61_000, 61_000);
    expect([broken.rows()?.length, broken.listeners.failure]).toEqual([1, null]);
  });

  it('are none where lsof finds nothing, as it says with status 1', async () => {
    const { turn, rows, listeners } = listening([[]]);
    await turn(0, 0);
    expect([rows(), listeners.failure]).toEqual([[], null]);
  });
});
