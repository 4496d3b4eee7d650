// `netmon-tui run` around tools that people run: npm, git over https and ssh, make -j. Each starts a tree of its own shape, against servers of
// ours; the receipt has where each went, and nothing else.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { faults, receiptSchema } from '../support/schemas.ts';
import { sayObstacle } from '../support/traffic/obstacle.ts';
import { Stage } from '../support/traffic/stage.ts';
import { TINY_PAYLOAD_BYTES, tinyElf } from '../support/traffic/tiny-elf.ts';

const reason = sayObstacle('live test of run around tools');
const HEADERS = 28;
const REGISTRY = 4873;
const HTTPS = 8443;
const SSH = 2222;

interface ToolReceipt {
  readonly status: number;
  readonly membership: string;
  readonly destinations: readonly {
    readonly app: string;
    readonly host: string | null;
    readonly address: string;
    readonly port: number;
    readonly rx_bytes: number;
    readonly tx_bytes: number;
    readonly tx_packets: number;
  }[];
  readonly processes: readonly { readonly name: string; readonly ancestors: readonly string[] }[];
  readonly processes_begun: number;
  readonly untold: { readonly connections: number };
}

/** Why a tool can't be run here; null if it can. */
function lacks(...programs: string[]): string | null {
  const missing = programs.find((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0);
  return missing === undefined ? null : `needs ${missing}`;
}

describe.skipIf(reason !== null)('run around tools, live', () => {
  let stage: Stage;
  let folder: string;
  let number = 0;
  const servers: ChildProcess[] = [];

  beforeAll(() => {
    stage = new Stage();
    folder = mkdtempSync(join(realpathSync(tmpdir()), 'nmt-tools-'));
  });
  afterAll(async () => {
    for (const server of servers) server.kill('SIGKILL');
    await stage?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** Starts a server in the far namespace; resolves when it listens. */
  async function serve(words: readonly string[], port: number): Promise<void> {
    const { namespace } = stage.ground.far;
    servers.push(spawn('ip', ['netns', 'exec', namespace, ...words], { cwd: folder, stdio: 'ignore' }));
    const listens = () => spawnSync('ip', ['netns', 'exec', namespace, 'ss', '-Hltn', `sport = :${port}`], { encoding: 'utf8' });
    await expect.poll(() => listens().stdout, { timeout: 10_000 }).toContain(`:${port}`);
  }

  /** Serves a folder by HTTP, or HTTPS with a certificate of its own. */
  function files(root: string, port: number, tls: boolean): Promise<void> {
    const script = `
      const { readFileSync } = require('fs');
      const keys = ${tls} ? { key: readFileSync('key.pem'), cert: readFileSync('cert.pem') } : {};
      require('${tls ? 'https' : 'http'}').createServer(keys, (request, response) => {
        try { response.end(readFileSync(${JSON.stringify(root)} + decodeURIComponent(request.url.split('?')[0]))); }
        catch { response.statusCode = 404; response.end(); }
      }).listen(${port}, '${stage.ground.far.v4}');`;
    return serve([process.execPath, '-e', script], port);
  }

  /** Runs a tool under the program in the near namespace. */
  function run(words: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<ToolReceipt> {
    const path = join(folder, `${number++}.json`);
    const program = [process.execPath, inject('program').bin, 'run', '--receipt', path, '--', ...words];
    const child = spawn('ip', ['netns', 'exec', stage.ground.near.namespace, ...program], {
      cwd,
      env: { ...process.env, HOME: folder, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    return new Promise((resolve) => {
      child.once('close', (status) => {
        const receipt = JSON.parse(readFileSync(path, 'utf8'));
        expect(faults(receipt, receiptSchema())).toEqual([]);
        expect([status, receipt.membership, receipt.untold.connections], said).toEqual([0, 'cgroup', 0]);
        resolve(receipt);
      });
    });
  }

  const where = ({ destinations }: ToolReceipt) => [
    ...new Set(destinations.map(({ app, host, address, port }) => `${app} ${host ?? address}:${port}`)),
  ];
  const received = ({ destinations }: ToolReceipt) => destinations.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0);

  /** A repository with a file of so many bytes, and its bare clone. */
  function repository(name: string, bytes: number): string {
    const [work, bare] = [join(folder, name), join(folder, `${name}.git`)];
    const git = (...words: string[]) =>
      execFileSync('git', ['-c', 'user.name=ann', '-c', 'user.email=ann@example.com', ...words], { stdio: 'ignore' });
    git('init', work);
    writeFileSync(join(work, 'data'), randomBytes(bytes));
    git('-C', work, 'add', '.');
    git('-C', work, 'commit', '-m', 'one');
    git('clone', '--bare', work, bare);
    git('-C', bare, 'update-server-info');
    return bare;
  }

  it('npm ci: the registry, asked by npm', async (context) => {
    if (lacks('npm', 'tar') !== null) context.skip(String(lacks('npm', 'tar')));
    const root = join(folder, 'registry');
    mkdirSync(join(root, 'small', '-'), { recursive: true });
    mkdirSync(join(folder, 'package'));
    writeFileSync(join(folder, 'package', 'package.json'), JSON.stringify({ name: 'small', version: '1.0.0' }));
    writeFileSync(join(folder, 'package', 'data'), randomBytes(50_000));
    const tarball = join(root, 'small', '-', 'small-1.0.0.tgz');
    execFileSync('tar', ['-czf', tarball, '-C', folder, 'package']);
    const integrity = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
    const url = `http://${stage.ground.far.v4}:${REGISTRY}`;
    const project = join(folder, 'project');
    mkdirSync(project);
    const own = { name: 'project', version: '1.0.0', dependencies: { small: '1.0.0' } };
    writeFileSync(join(project, 'package.json'), JSON.stringify(own));
    const packages = {
      '': own,
      'node_modules/small': { version: '1.0.0', resolved: `${url}/small/-/small-1.0.0.tgz`, integrity },
    };
    writeFileSync(join(project, 'package-lock.json'), JSON.stringify({ ...own, lockfileVersion: 3, requires: true, packages }));
    await files(root, REGISTRY, false);
    const words = ['npm', 'ci', '--no-audit', '--no-fund', '--no-update-notifier', `--registry=${url}`];
    const receipt = await run(words, project);
    expect(readFileSync(join(project, 'node_modules', 'small', 'package.json'), 'utf8')).toContain('small');
    expect(where(receipt)).toHaveLength(1);
    expect(where(receipt)[0]).toMatch(new RegExp(`^(npm|node).* ${stage.ground.far.v4.replaceAll('.', '\\.')}:${REGISTRY}$`));
    expect(received(receipt)).toBeGreaterThan(readFileSync(tarball).length);
  }, 60_000);

  it('git clone over https: the helper that git starts, and the name that it asked for', async (context) => {
    if (lacks('git', 'openssl') !== null) context.skip(String(lacks('git', 'openssl')));
    const bare = repository('by-https', 60_000);
    execFileSync(
      'openssl',
      'req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=git.example.net'.split(' '),
      { cwd: folder, stdio: 'ignore' },
    );
    await files(bare, HTTPS, true);
    const resolved = `http.curloptResolve=git.example.net:${HTTPS}:${stage.ground.far.v4}`;
    const url = `https://git.example.net:${HTTPS}/`;
    const receipt = await run(['git', '-c', resolved, '-c', 'http.sslVerify=false', 'clone', url, 'cloned-https'], folder);
    expect(where(receipt)).toEqual([`git-remote-http git.example.net:${HTTPS}`]);
    expect(receipt.processes[0]?.ancestors.slice(-2)).toEqual(['git', 'git']);
    expect(received(receipt)).toBeGreaterThan(60_000);
  }, 60_000);

  it('git clone over ssh: ssh, which git starts', async (context) => {
    if (lacks('git', 'ssh', 'sshd', 'ssh-keygen') !== null) context.skip(String(lacks('git', 'ssh', 'sshd', 'ssh-keygen')));
    const bare = repository('by-ssh', 60_000);
    for (const key of ['host', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)]);
    writeFileSync(join(folder, 'authorized'), readFileSync(join(folder, 'user.pub')), { mode: 0o600 });
    const options = [
      `HostKey=${join(folder, 'host')}`,
      `AuthorizedKeysFile=${join(folder, 'authorized')}`,
      ...[`ListenAddress=${stage.ground.far.v4}:${SSH}`, 'UsePAM=no', 'StrictModes=no', 'PermitRootLogin=yes', 'PidFile=none'],
    ];
    mkdirSync('/run/sshd', { recursive: true });
    const sshd = execFileSync('sh', ['-c', 'command -v sshd'], { encoding: 'utf8' }).trim();
    await serve([sshd, '-D', '-f', '/dev/null', ...options.flatMap((option) => ['-o', option])], SSH);
    const ssh = `ssh -i ${join(folder, 'user')} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -p ${SSH}`;
    const receipt = await run(['git', 'clone', `root@${stage.ground.far.v4}:${bare}`, 'cloned-ssh'], folder, {
      GIT_SSH_COMMAND: ssh,
    });
    expect(where(receipt)).toEqual([`ssh ${stage.ground.far.v4}:${SSH}`]);
    expect(received(receipt)).toBeGreaterThan(60_000);
  }, 60_000);

  it('make -j: each of its jobs, exact to the byte', async (context) => {
    if (lacks('make') !== null) context.skip(String(lacks('make')));
    const JOBS = 40;
    const there = await stage.far('udp-receive', { on: stage.ground.far.v4, port: 0, count: JOBS, patienceMs: 20_000 });
    there.go();
    const exe = join(folder, 'compiler');
    const elf = tinyElf(process.arch === 'arm64' ? 'arm64' : 'x64', stage.ground.far.v4, there.ready.port ?? 0);
    writeFileSync(exe, elf, { mode: 0o755 });
    const names = Array.from({ length: JOBS }, (_, i) => `job${i}`);
    writeFileSync(
      join(folder, 'Makefile'),
      `all: ${names.join(' ')}\n${names.map((name) => `${name}:\n\t@sh -c ${exe}\n`).join('')}`,
    );
    const receipt = await run(['make', '-j', '8'], folder);
    const { destinations } = receipt;
    expect(new Set(destinations.map(({ app }) => app))).toEqual(new Set(['compiler']));
    expect(destinations.length).toBe(JOBS);
    expect(destinations.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0)).toBe(JOBS * (HEADERS + TINY_PAYLOAD_BYTES));
    expect((await there.done).messages).toBe(JOBS);
    await there.leave();
  }, 60_000);
});
