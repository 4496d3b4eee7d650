// The listener for Prometheus, asked over real loopback connections.

import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MetricsListener } from '../../../src/messenger/metrics-listener.ts';
import type { MetricSet } from '../../../src/model/metrics.ts';

const SET: MetricSet = { time: 1, samples: [{ metric: 'appBytes', labels: ['curl', 'receive'], value: 5 }] };
let now = 1000;
const clock = { now: () => now, monotonic: () => now };
const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function listening(port = 0): Promise<MetricsListener> {
  return new Promise((resolve) => {
    const listener: MetricsListener = new MetricsListener({ address: '127.0.0.1', port }, clock, () => resolve(listener));
    open.push(listener);
  });
}

/** Sends bytes as they are. @returns everything that comes back until the other end closes, or has answered once */
async function send(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += String(chunk);
    });
    socket.on('error', () => resolve(answer));
    socket.on('close', () => resolve(answer));
  });
}
const ask = (listener: MetricsListener, path: string, headers = 'Host: 127.0.0.1:9464', method = 'GET') =>
  send(listener.port, `${method} ${path} HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`);
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

describe('the listener', () => {
  it('tells what it was given last, in the form that the reader prefers', async () => {
    const listener = await listening();
    expect(statusOf(await ask(listener, '/metrics'))).toBe(503);
    listener.give(SET);
    const text = await ask(listener, '/metrics?x=1');
    expect(text).toContain('content-type: text/plain; version=0.0.4; charset=utf-8\r\n');
    expect(text).toContain('\nnetmon_app_bytes_total{app="curl",direction="receive"} 5\n');
    const other = await ask(listener, '/metrics', 'Host: localhost\r\nAccept: application/openmetrics-text;version=1.0.0');
    expect(other).toContain('content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n');
    expect(other.endsWith('# EOF\n')).toBe(true);
    expect(await ask(listener, '/healthz', 'Host: [::1]:1')).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nok\n$/);
    expect(await ask(listener, '/metrics', 'Host: localhost', 'HEAD')).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\n$/);
    expect(listener.status).toMatchObject({ engine: 'prometheus', to: '127.0.0.1:0', sent: 3, failure: null });
  });

  it('tells nothing old as if it were current', async () => {
    const listener = await listening();
    listener.give(SET);
    now += 59_999;
    expect(statusOf(await ask(listener, '/metrics'))).toBe(200);
    now += 1;
    for (const path of ['/metrics', '/healthz']) expect(statusOf(await ask(listener, path))).toBe(503);
  });

  it.each([
    ['a name that leads here', '/metrics', 'Host: evil.example', 'GET', 403],
    ['a name that begins like this machine', '/metrics', 'Host: 127.0.0.1.evil.example', 'GET', 403],
    ['no name', '/metrics', 'Host:', 'GET', 403],
    ['another path', '/', 'Host: localhost', 'GET', 404],
    ['something to write', '/metrics', 'Host: localhost\r\nContent-Length: 5', 'POST', 405],
    ['headers without end', '/metrics', `Host: localhost\r\nX: ${'x'.repeat(20_000)}`, 'GET', 431],
    ['no HTTP', '\u0000\u0001', '', '\u0016\u0003', 400],
  ])('refuses %s', async (_, path, headers, method, status) => {
    const listener = await listening();
    listener.give(SET);
    const answer = await ask(listener, path, headers, method);
    expect(statusOf(answer)).toBe(status);
    expect(answer).not.toContain('curl');
    expect(statusOf(await ask(listener, '/metrics'))).toBe(200);
  });

  it('keeps no more than a few connections, and goes on', async () => {
    const listener = await listening();
    listener.give(SET);
    const idle = Array.from({ length: 40 }, () => connect(listener.port, '127.0.0.1'));
    open.push(...idle.map((socket) => ({ close: () => socket.destroy() })));
    let closed = 0;
    await new Promise<void>((resolve) => {
      for (const socket of idle)
        socket
          .on('error', () => {})
          .on('close', () => {
            if (++closed === 40 - 16) resolve();
          });
    });
    for (const socket of idle) socket.destroy();
    await new Promise(setImmediate);
    let answer = '';
    while (!answer.startsWith('HTTP')) answer = await ask(listener, '/metrics');
    expect(statusOf(answer)).toBe(200);
  });

  it('says why it can’t listen', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    open.push(other);
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    other.on('connection', (socket) => socket.end('SSH-2.0\r\n'));
    const listener = await listening(port);
    expect(listener.status).toMatchObject({ failure: 'another program uses this port', to: `127.0.0.1:${port}` });
    expect(listener.port).toBe(0);
  });

  it('leaves the port to a recorder that serves the same', async () => {
    const recorder = await listening();
    const beside = await listening(recorder.port);
    expect(beside.status.failure).toBeNull();
    expect(beside.port).toBe(0);
  });
});
