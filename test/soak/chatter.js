// Traffic on loopback for a live soak: a web server, clients that come and go, datagrams, ports that nobody listens on.
// usage: node chatter.js [TIMES as fast]

import { createSocket } from 'node:dgram';
import { createServer, get } from 'node:http';
import { connect } from 'node:net';

const times = Number(process.argv[2] ?? 1);
const body = Buffer.alloc(20_000, 120);
const server = createServer((_, response) => response.end(body)).listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  setInterval(
    () => get({ port, host: '127.0.0.1', agent: false }, (response) => response.resume()).on('error', () => {}),
    40 / times,
  );
  setInterval(() => {
    const socket = createSocket('udp4');
    socket.send(Buffer.alloc(300), 1024 + Math.floor(Math.random() * 60_000), '127.0.0.1', () => socket.close());
    connect(1, '127.0.0.1').on('error', () => {});
  }, 100 / times);
});
