// `netmon-tui record --install SYSTEM`: prints the file that makes a service manager record, and how to install it. Installs nothing itself.

import { NetmonError } from '../../model/errors.ts';
import { type HistoryOptions, SANDBOX_ELSEWHERE } from '../../model/options.ts';
import { shellWords } from '../../net/quote.ts';
import { OutputFile } from '../../output/output-file.ts';
import { absolutePath } from '../../system/files.ts';
import type { CommandLine } from '../command-line.ts';
import type { CommandIo } from '../history/command-io.ts';
import { launchdPlist } from './launchd.ts';
import type { Service, ServiceUser } from './service.ts';
import { systemdUnit } from './systemd.ts';

const SYSTEMS = { launchd: launchdPlist, systemd: systemdUnit } as const;
/** Flags that are passed on to the service. */
const KEPT = ['interface', 'bpf', 'driver', 'interval', 'user', 'config', 'log', 'log-level'] as const;
const PATHS: readonly string[] = ['config', 'log'];
const SIMPLE = ['reverse-dns', 'no-reverse-dns', 'drop-all', 'stay-root', 'sandbox'] as const;

/** How this process was started, and for whom. */
export interface Starter {
  readonly program: Service['program'];
  readonly user: ServiceUser | null;
  readonly state: Service['state'];
  /** What was typed. */
  readonly typed: string;
}

/**
 * Prints the file, or writes it to `--output`. The instructions go to standard error, out of the way of a pipe.
 *
 * @returns exit status 0. @throws NetmonError `usage`
 */
export async function serviceCommand(
  line: CommandLine,
  history: HistoryOptions,
  starter: Starter,
  io: Pick<CommandIo, 'out' | 'err'>,
): Promise<number> {
  const name = line.value('install');
  if (name === null) throw new Error('--install is not given');
  const make = SYSTEMS[name];
  if (name === 'systemd' && line.has('sandbox')) throw new NetmonError('usage', ...SANDBOX_ELSEWHERE);
  const words = [
    `--history=${history.path}`,
    ...KEPT.flatMap((flag) => line.texts(flag).map((value) => `--${flag}=${PATHS.includes(flag) ? absolutePath(value) : value}`)),
    ...SIMPLE.flatMap((flag) => (line.has(flag) ? [`--${flag}`] : [])),
  ];
  const { text, path, install, besides, warnings } = make({ ...starter, words, history: history.path, log: logOf(line) });
  const output = line.text('output');
  if (output === null) await io.out.write(text);
  else {
    const file = OutputFile.create(output, line.has('force'), history.owner);
    try {
      await file.write(text);
      await file.commit();
    } finally {
      await file.discard();
    }
  }
  const commands = install(output === null ? null : shellWords([output]));
  const said = [
    `${path} is where the file belongs. To install it, type:`,
    ...commands.map((command) => `  ${command}`),
    ...besides.flatMap(([purpose, command]) => [`${purpose}:`, `  ${command}`]),
    ...warnings,
  ];
  await io.err.write(`\n${said.map((line) => `${line}\n`).join('')}`);
  return 0;
}

function logOf(line: CommandLine): string | null {
  const path = line.text('log');
  return path === null ? null : absolutePath(path);
}
