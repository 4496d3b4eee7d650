// A policy on a machine: what curl reaches outside of it is an alert as it happens, and in history afterwards; a policy made from that allows it.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { netnsObstacle, Pair, Running } from '../support/netns.ts';

interface Told {
  readonly type: string;
  readonly kind: string;
  readonly text: string;
  readonly held: string | null;
}

const WEB = '203.0.113.9';
const HTTP = `require('node:http').createServer((_, out) => out.end('hello')).listen(8080, '${WEB}', () => console.log('ready'));`;
const POLICY = '[app.curl]\nallow = ["good.example.com:8080", "*.example.org"]\n';
const reason = netnsObstacle('curl');

describe('a policy, live', () => {
  const program = inject('program');
  const folder = mkdtempSync(join(tmpdir(), 'netmon-policy-'));
  const policy = join(folder, 'home.toml');
  const history = `--history=${join(folder, 'h.sqlite')}`;
  let pair: Pair;

  beforeEach(({ skip, onTestFinished }) => {
    if (reason !== null) skip(`a policy, live: ${reason}`);
    pair = new Pair();
    onTestFinished(() => pair.remove());
    pair.run(pair.far, `ip addr add ${WEB}/32 dev lo`);
    pair.run(pair.near, 'ip route add 203.0.113.0/24 via 10.99.0.2');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const netmon = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program.bin, ...words], { encoding: 'utf8' });
    return { status, stdout, stderr };
  };

  it('tells of curl reaching what it does not allow, and records it', async () => {
    writeFileSync(policy, POLICY);
    const server = pair.start(pair.far, process.execPath, ['-e', HTTP]);
    await new Promise((resolve) => server.stdout.once('data', resolve));
    const words = ['--json', '--interval', '200ms', '-i', 'va', '--policy', policy, history, '--stay-root'];
    const run = new Running(pair.start(pair.near, process.execPath, [program.bin, ...words]));
    await run.until(() => run.samples.length > 0, 'the first sample');
    const drifts = () => (run.lines as unknown as Told[]).filter(({ type, kind }) => type === 'alert' && kind === 'policy');
    const curl = (host: string) => pair.run(pair.near, `curl -s -o /dev/null --resolve ${host}:8080:${WEB} http://${host}:8080/`);
    for (const host of ['good.example.com', 'a.example.org', 'evil.example.net']) curl(host);
    await run.until(() => drifts().length > 0, 'an alert of the policy');
    curl('evil.example.net');
    curl('example.org');
    await run.until(() => drifts().length > 1, 'the second alert');
    expect(drifts().map(({ text }) => text)).toEqual([
      "curl reached evil.example.net, which its policy doesn't allow.",
      "curl reached example.org, which its policy doesn't allow.",
    ]);
    expect(drifts().every(({ held }) => held === null)).toBe(true);
    expect(await run.interrupt()).toBe(130);

    const listed = netmon('alerts', history, '--json', '--exit-code');
    expect(listed.status).toBe(10);
    const texts = (
      listed.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)) as Told[]
    ).filter(({ kind }) => kind === 'policy');
    expect(texts.map(({ text }) => text)).toEqual(drifts().map(({ text }) => text));
    const judged = netmon('policy', 'check', policy, history, '--app', 'curl');
    expect([judged.status, judged.stderr]).toEqual([10, '']);
    expect(judged.stdout).toContain('2 hosts outside the policy\n4 hosts: 2 by name, 2 drift');
    const made = join(folder, 'made.toml');
    expect(netmon('policy', 'init', made, history).status).toBe(0);
    expect(readFileSync(made, 'utf8')).toMatch(/"evil\.example\.net", +# 2 connections/);
    expect(netmon('policy', 'check', made, history).status).toBe(0);
  });
});
