import { describe, expect, it } from 'vitest';
import { parseJobs } from '../../../../../src/identify/process/macos/launchd.ts';
import { PsWatch } from '../../../../../src/identify/process/macos/ps-watch.ts';
import { flowRoom, programs, turns } from '../polled.ts';

const LIST = `PID\tStatus\tLabel
-\t0\tcom.apple.SafariHistoryServiceAgent
20\t0\tcom.example.agent
21\t-9\tapplication.com.google.Chrome.1152921500311879769.1152921500311879774
`;

describe('launchd’s jobs', () => {
  it('are read by pid, those of opened apps without the numbers of this run', () => {
    expect([...parseJobs(LIST)]).toEqual([
      [20, 'com.example.agent'],
      [21, 'com.google.Chrome'],
    ]);
  });

  it('are bounded, and stripped of what could move a cursor', () => {
    expect(parseJobs(`7\t0\t\u001b[2J${'x'.repeat(1000)}`).get(7)).toMatch(/^\[2Jx{124,125}$/);
    expect(parseJobs('7 0 spaces\n99999999999\t0\tx\n\t\t\n').size).toBe(0);
    expect(parseJobs(Array.from({ length: 10_000 }, (_, i) => `${i}\t0\tjob`).join('\n')).size).toBe(8192);
  });

  it('are the units of their processes, and of those below them', async () => {
    const at = 'Sat Jan 31 12:00:01 2026';
    const edges = programs({
      ps: () => ({ stdout: ` 1 0 0 ${at} /sbin/launchd\n 20 1 501 ${at} agent\n 30 20 501 ${at} curl\n 40 1 501 ${at} wget\n` }),
      launchctl: () => ({ stdout: LIST }),
    });
    const { flows, directory } = flowRoom();
    const watch = new PsWatch(flows, directory, edges);
    const learn = (pid: number, name: string) =>
      directory.learn({ pid, name, exe: null, uid: null, parentPid: null, startTime: null, script: null, unit: null });
    const ids = [learn(20, 'agent'), learn(30, 'curl'), learn(40, 'wget')];
    await turns(watch, 0, 2500, 2600);
    expect(ids.map((id) => directory.process(id)?.unit)).toEqual(['com.example.agent', 'com.example.agent', null]);
    expect(directory.app(directory.process(ids[1] as number)?.app ?? -1)).toMatchObject({
      name: 'curl',
      processes: [{ unit: 'com.example.agent' }],
    });
    expect(edges.ran.filter((run) => run === 'launchctl list').length).toBe(1);
  });
});
