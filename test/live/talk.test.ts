// How real programs speak TLS, as filters by fingerprint tell it: what the kernel keeps of a packet has both hellos whole.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { netnsObstacle, Pair, Running } from '../support/netns.ts';

interface Sample {
  readonly flows?: readonly { readonly remote: { readonly port: number } }[];
}

const reason = netnsObstacle('openssl');
/** Ports of servers that speak one version with one cipher suite, and the beginning of their JA4S. */
const SERVERS = [
  { port: 4412, options: ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'], answer: /^t12\d\d00_c02b_/ },
  { port: 4413, options: ['-tls1_3', '-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256'], answer: /^t130200_1303_/ },
];

describe('TLS, live', () => {
  const program = inject('program');
  let pair: Pair;
  let folder: string;

  beforeAll(() => {
    if (reason !== null) return;
    folder = mkdtempSync(join(tmpdir(), 'netmon-talk-'));
    pair = new Pair();
    const subject = ['-subj', '/CN=www.example.com', '-keyout', join(folder, 'key'), '-out', join(folder, 'cert')];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', ...key, ...subject], { stdio: 'ignore' });
  });
  afterAll(() => {
    pair?.remove();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(({ skip }) => {
    if (reason !== null) skip(`TLS, live: ${reason}`);
  });

  const files = () => ['-cert', join(folder, 'cert'), '-key', join(folder, 'key')];

  /** Begins a connection, and ends it after the handshake. */
  const connect = (port: number) =>
    new Promise((resolve) => {
      const args = ['s_client', '-connect', `10.99.0.2:${port}`, '-servername', 'www.example.com'];
      const child = spawn('ip', ['netns', 'exec', pair.near, 'openssl', ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
      child.on('exit', resolve);
      setTimeout(() => child.stdin.end(), 300);
    });

  it.each(SERVERS)('the server on port $port is found by its answer, and the other is not', async ({ port, answer }) => {
    for (const server of SERVERS)
      pair.start(pair.far, 'openssl', ['s_server', '-quiet', '-accept', String(server.port), ...files(), ...server.options]);
    const args = [program.bin, '--json', '--interval', '200ms', '-i', 'va', '-f', `proto:tcp ja4s~${answer.source}`];
    const run = new Running(pair.start(pair.near, process.execPath, args));
    await run.until(() => run.samples.length > 0, 'the first sample');
    const ports = () => ((run.last as Sample).flows ?? []).map(({ remote }) => remote.port);
    // The servers may not listen yet.
    for (let tries = 0; ports().length === 0 && tries < 50; tries++) for (const server of SERVERS) await connect(server.port);
    expect(new Set(ports())).toEqual(new Set([port]));
    await run.interrupt();
  });
});
