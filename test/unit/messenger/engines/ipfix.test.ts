// A collector in place of a real one, over both transports.

import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { IpfixSender } from '../../../../src/messenger/engines/ipfix.ts';
import type { ExportBatch } from '../../../../src/model/export-batch.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { loggedFlow } from '../../../support/history.ts';

const batchOf = (flows: number): ExportBatch => ({
  ...{ engine: 'ipfix', token: 't', hostId: '0123456789abcdef', hostName: null, until: 0, minutes: [], alerts: [] },
  flows: Array.from({ length: flows }, () => loggedFlow()),
});
const clock = () => new FakeClock();

/** Sequence number, observation domain and length of a message. */
const headOf = (message: Buffer) => [message.readUInt32BE(8), message.readUInt32BE(12), message.readUInt16BE(2)];

function udpCollector(): Promise<{ socket: Socket; url: string; got: Buffer[] }> {
  const socket = createSocket('udp4');
  const got: Buffer[] = [];
  socket.on('message', (message) => got.push(message));
  return new Promise((resolve) =>
    socket.bind(0, '127.0.0.1', () => resolve({ socket, url: `udp://127.0.0.1:${socket.address().port}`, got })),
  );
}

it('sends datagrams whose sequence goes on from batch to batch, and names its elements again after a while', async ({
  onTestFinished,
}) => {
  const { socket, url, got } = await udpCollector();
  onTestFinished(() => void socket.close());
  const time = clock();
  const sender = new IpfixSender({ url }, time);
  expect(await sender.send(batchOf(2))).toEqual({ isDelivered: true, refused: null });
  expect(await sender.send(batchOf(1))).toEqual({ isDelivered: true, refused: null });
  time.pass(11 * 60_000);
  expect(await sender.send(batchOf(1))).toEqual({ isDelivered: true, refused: null });
  await expect.poll(() => got.length).toBe(6);
  const heads = got.map(headOf);
  const types = 8;
  expect(heads.map(([sequence]) => sequence)).toEqual([0, types, types + 2, types + 2, types + 3, 2 * types + 3]);
  expect(heads.every(([, domain]) => domain === 0x89abcdef)).toBe(true);
  expect(got.every((message, i) => message.length === heads[i]?.[2])).toBe(true);
});

it('sends nothing for a batch without connections', async ({ onTestFinished }) => {
  const { socket, url, got } = await udpCollector();
  onTestFinished(() => void socket.close());
  expect(await new IpfixSender({ url }, clock()).send(batchOf(0))).toEqual({ isDelivered: true, refused: null });
  expect(got).toEqual([]);
});

it('tries again where nobody listens', async () => {
  const { socket, url } = await udpCollector();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  const refused = expect.objectContaining({ isDelivered: false, isAgain: true });
  expect(await new IpfixSender({ url }, clock()).send(batchOf(3))).toEqual(refused);
  expect(await new IpfixSender({ url: url.replace('udp', 'tcp') }, clock()).send(batchOf(3))).toEqual(refused);
});

it('sends messages over TCP, each connection with templates and numbers of its own', async ({ onTestFinished }) => {
  const got: Buffer[] = [];
  const server = createServer((socket) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => got.push(Buffer.concat(chunks)));
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sender = new IpfixSender({ url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` }, clock());
  for (let i = 0; i < 2; i++) expect(await sender.send(batchOf(500))).toEqual({ isDelivered: true, refused: null });
  expect(got).toHaveLength(2);
  for (const bytes of got) {
    const messages: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += bytes.readUInt16BE(at + 2)) messages.push(bytes.subarray(at));
    expect(messages.map(headOf).map(([sequence]) => sequence)).toEqual([
      0,
      8,
      ...messages.slice(2).map(() => expect.any(Number)),
    ]);
    expect(messages.length).toBeGreaterThan(1);
  }
  expect(got[0]).toEqual(got[1]);
});

it('fails when the collector breaks the connection', async ({ onTestFinished }) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.resetAndDestroy();
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sender = new IpfixSender({ url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` }, clock());
  expect(await sender.send(batchOf(5))).toMatchObject({ isDelivered: false, isAgain: true });
});
