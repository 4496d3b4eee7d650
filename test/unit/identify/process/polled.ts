// A flow table, a directory and fake programs, for tests of sources that poll.

import { Localizer } from '../../../../src/flow/direction.ts';
import { FlowTable } from '../../../../src/flow/flow-table.ts';
import { Directory, Users } from '../../../../src/identify/process/directory.ts';
import type { OwnerSource } from '../../../../src/identify/process/owner-source.ts';
import type { Process } from '../../../../src/model/terms.ts';
import { DIRECTION } from '../../../../src/net/numbers.ts';
import type { Edges, RunResult } from '../../../../src/system/edges.ts';
import { fakeEdges, fakeRoot } from '../../../support/fake-edges.ts';
import { addresses, type PacketFields, packet, timed } from '../../../support/packets.ts';

type Answer = Partial<RunResult> | 'hangs';

/** Programs by name. Each run calls the function again, and is recorded with name and arguments. */
export function programs(answers: Record<string, (args: string) => Answer>, euid = 0): Edges & { readonly ran: string[] } {
  const ran: string[] = [];
  return {
    ...fakeEdges({ platform: 'darwin', euid }),
    ran,
    run: (path, args) => {
      const name = path.slice(path.lastIndexOf('/') + 1);
      ran.push([name, ...args].join(' '));
      const answer = answers[name]?.(args.join(' ')) ?? { status: null, failure: 'ENOENT' };
      if (answer === 'hangs') return new Promise<RunResult>(() => undefined);
      return Promise.resolve({ status: 0, stdout: '', stderr: '', cut: null, failure: null, ...answer });
    },
  };
}

/** Flows seen from 10.0.0.1 and 192.168.3.37. */
export function flowRoom() {
  const localizer = new Localizer(false);
  localizer.setAddresses(addresses('10.0.0.1', '192.168.3.37', '127.0.0.1'));
  const flows = new FlowTable(localizer, 1024, 1);
  const passwd = `${fakeRoot({ passwd: 'root:*:0:0::/var/root:/bin/sh\nanna:*:501:20::/Users/anna:/bin/zsh\n' })}/passwd`;
  const directory = new Directory(new Users(passwd));
  const open = (fields: PacketFields): number => flows.touch(timed(packet(fields), 1000), 0, DIRECTION.UNKNOWN);
  const name = (process: Process) => `${process.name} ${process.pid}`;
  const described = (row: number): string => {
    const process = directory.process(flows.owner(row));
    return process === undefined ? `none: ${flows.reason(row)}` : `${name(process)} ${flows.attribution(row)}`;
  };
  const peer = (row: number): string => {
    const process = directory.process(flows.peer(row));
    return process === undefined ? 'none' : name(process);
  };
  return { flows, directory, open, described, peer };
}

/** Runs turns of a source at these times, and reads the programs' answers after each. */
export async function turns(source: Pick<OwnerSource, 'work'>, ...times: readonly number[]): Promise<void> {
  for (const time of times) {
    source.work(time);
    await new Promise(setImmediate);
  }
}
