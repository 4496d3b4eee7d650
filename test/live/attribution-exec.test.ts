// Whose is a connection whose program became another one by exec, or whose process ended while a child of its went on.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sayObstacle } from '../support/traffic/obstacle.ts';
import { Stage } from '../support/traffic/stage.ts';

const reason = sayObstacle('live test of owners that become others');
/** Sends to everybody who connects, and takes what comes, until they leave. Prints its port. */
const SERVER = `
const server = require('node:net').createServer((socket) => {
  const timer = setInterval(() => socket.write(Buffer.alloc(700)), 50);
  socket.on('data', () => {}).on('error', () => {}).on('close', () => clearInterval(timer));
});
server.listen(0, process.argv[1], () => console.log(server.address().port));
`;
const NAMES = ['bash', 'cat', 'sleep'] as const;

/** Opens a connection as descriptor 3, and says so. */
const CONNECTED = 'exec 3<>/dev/tcp/$0/$1 && echo ready';
/** Goes on once it is told to. */
const WAITS = 'read -r';

interface Shell {
  readonly pid: number;
  /** Lets the script behind the next WAITS go on. */
  go(): void;
  /** The next line that it prints. */
  line(): Promise<string>;
}

describe.skipIf(reason !== null)('programs that become others, live', () => {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'nmt-exec-'));
  /** Programs whose paths nothing else on the machine has. */
  const [bash, cat, sleep] = NAMES.map((name) => join(folder, `${name}-${process.pid}`)) as [string, string, string];
  const running = new Set<ChildProcess>();
  let stage: Stage;
  let port: string;

  const start = (namespace: string, ...words: string[]) => {
    const child = spawn('ip', ['netns', 'exec', namespace, ...words], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    running.add(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return { child, line: async () => String((await lines.next()).value) };
  };
  const endAll = () => {
    // The group: a child of a shell that ended is still in it.
    for (const { pid } of running) if (pid !== undefined) spawnSync('kill', ['-9', '--', `-${pid}`], { stdio: 'ignore' });
    running.clear();
  };

  /** Runs a script that has the connection as descriptor 3 when this returns. */
  const shell = async (script: string): Promise<Shell> => {
    const { child, line } = start(stage.ground.near.namespace, bash, '-c', `${CONNECTED}; ${script}`, stage.ground.far.v4, port);
    expect(await line()).toBe('ready');
    return { pid: child.pid ?? 0, line, go: () => void child.stdin.write('\n') };
  };

  /** The newest flow must get this owner, while it goes on. */
  const expectOwner = async (exe: string, pid: number) => {
    const newest = () => stage.watcher.last?.flows.find((flow) => String(flow.remote.port) === port && flow.pid === pid);
    const name = basename(exe);
    await stage.watcher.until(() => newest()?.app === name);
    expect(newest(), `of ${name}, ${pid}`).toMatchObject({ app: name, pid, attribution: 'exact' });
  };

  beforeAll(async () => {
    for (const [i, copy] of [bash, cat, sleep].entries()) copyFileSync(`/bin/${NAMES[i]}`, copy);
    stage = new Stage();
    await stage.watch();
  });
  beforeEach(async () => {
    const { far } = stage.ground;
    port = await start(far.namespace, process.execPath, '-e', SERVER, far.v4).line();
  });
  afterEach(endAll);
  afterAll(async () => {
    await stage?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('a shell that becomes another program, and that yet another', async () => {
    const { pid, go } = await shell(`${WAITS}; exec ${bash} -c '${WAITS}; exec ${cat} <&3 >/dev/null'`);
    await expectOwner(bash, pid);
    go();
    await pause(1500);
    await expectOwner(bash, pid);
    go();
    await expectOwner(cat, pid);
  });

  it('leaves what moved with the program that moved it', async () => {
    const { pid, go } = await shell(`${WAITS}; exec ${cat} <&3 >/dev/null`);
    const rx = (exe: string) => stage.watcher.last?.apps.find((row) => row.exe === exe)?.rx_bytes ?? 0;
    const [shellBefore, catBefore] = [rx(bash), rx(cat)];
    await stage.watcher.until(() => rx(bash) > shellBefore + 20_000);
    go();
    await expectOwner(cat, pid);
    const kept = rx(bash);
    await stage.watcher.until(() => rx(cat) > catBefore + 20_000);
    expect(rx(bash)).toBe(kept);
    expect(kept).toBeGreaterThan(shellBefore + 20_000);
  });

  it('two execs in a row', async () => {
    const { pid, go } = await shell(`${WAITS}; exec ${bash} -c 'exec ${cat} <&3 >/dev/null'`);
    await expectOwner(bash, pid);
    go();
    await expectOwner(cat, pid);
  });

  it('a connection that is handed to another program as soon as it stands', async () => {
    const { pid } = await shell(`exec ${cat} <&3 >/dev/null`);
    await expectOwner(cat, pid);
  });

  it.each([
    ['soon', 0],
    ['after a while', 5000],
  ])('a process that ends %s, and whose child goes on', async (_, ms) => {
    const { pid, line, go } = await shell(`${cat} <&3 >/dev/null & echo $!; ${WAITS}; exit`);
    const child = Number(await line());
    await pause(ms);
    await expectOwner(bash, pid);
    go();
    await expectOwner(cat, child);
  });

  it('a daemon: its parent ends, and its child, the same program, sends', async () => {
    const { line } = await shell(`(while :; do echo >&3; ${sleep} 0.1; done) & echo $!; exit`);
    await expectOwner(bash, Number(await line()));
  });

  it('a child that inherited a connection leaves it to its parent while that holds it, even if it reads', async () => {
    const { pid, line, go } = await shell(`${sleep} 100 <&3 & ${cat} <&3 >/dev/null & echo $!; ${WAITS}; exec 3>&-; ${WAITS}`);
    const child = Number(await line());
    await pause(5000);
    await expectOwner(bash, pid);
    expect(child).toBeGreaterThan(0);
    go();
  });
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
