// Recognises the application inside TLS by the protocols that a hello offers (IANA, TLS ALPN Protocol IDs), else by the port.

import { u8 } from '../../net/bytes.ts';
import { PROTOCOL } from '../../net/numbers.ts';
import { serviceName } from '../../net/services.ts';
import type { ClientHello } from './client-hello.ts';

const LONGEST_ID = 24;
const BY_ALPN = new Map<string, string>(
  Object.entries({
    h2: 'https',
    'http/1.1': 'https',
    'http/1.0': 'https',
    'http/0.9': 'https',
    'spdy/3.1': 'https',
    'spdy/3': 'https',
    'grpc-exp': 'https',
    dot: 'dot',
    doq: 'doq',
    imap: 'imaps',
    pop3: 'pop3s',
    smtp: 'smtps',
    managesieve: 'sieve',
    'xmpp-client': 'xmpp',
    'xmpp-server': 'xmpp-server',
    mqtt: 'mqtts',
    'x-amzn-mqtt-ca': 'mqtts',
    ftp: 'ftps',
    irc: 'ircs',
    nnsp: 'nntps',
    nntp: 'nntps',
    'sip/2': 'sips',
    coap: 'coaps',
    'stun.turn': 'turns',
    'stun.nat-discovery': 'turns',
    webrtc: 'webrtc',
    'c-webrtc': 'webrtc',
    'ntske/1': 'nts-ke',
    postgresql: 'postgresql',
    'tds/8.0': 'mssql',
    smb: 'smb',
    'radius/1.1': 'radius',
    'apns-security-v3': 'apns',
    'apns-pack-v1': 'apns',
    nats: 'nats',
  }),
);
/** Services that use TLS from the first byte. Other ports say nothing about what is inside. */
const TLS_SERVICES = new Set(
  'smtps nntps ldaps dot ftps-data ftps telnets imaps pop3s sips apns turns amqps ircs mqtts winrm-tls docker-tls coaps'.split(
    ' ',
  ),
);
/** Ports of HTTPS servers. */
const WEB_PORTS = [443, 8443];

/** Application of the hello's flow; null if only TLS is certain. @param port of the server */
export function tlsApplication(bytes: Uint8Array, hello: ClientHello, port: number): string | null {
  return (hello.protocolsFrom >= 0 ? byProtocols(bytes, hello.protocolsFrom, hello.protocolsTo) : null) ?? tlsByPort(port);
}

/** What TLS on a port usually carries; null if unknown. */
export function tlsByPort(port: number): string | null {
  if (WEB_PORTS.includes(port)) return 'https';
  const service = serviceName(PROTOCOL.TCP, port);
  return service !== null && TLS_SERVICES.has(service) ? service : null;
}

/** The first known protocol in a list. Skips unknown ones (GREASE, HTTP/3). */
function byProtocols(bytes: Uint8Array, from: number, to: number): string | null {
  let at = from;
  while (at < to) {
    const size = u8(bytes, at);
    const next = at + 1 + size;
    if (size === 0 || next > to) return null;
    // Nearly every hello of the web begins with this, so it gets by without a string.
    if (size === 2 && u8(bytes, at + 1) === 0x68 && u8(bytes, at + 2) === 0x32) return 'https';
    if (size <= LONGEST_ID) {
      const application = BY_ALPN.get(latin1(bytes, at + 1, next));
      if (application !== undefined) return application;
    }
    at = next;
  }
  return null;
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let i = from; i < to; i++) text += String.fromCharCode(u8(bytes, i));
  return text;
}

/** Whether the hello's first protocol is DNS over QUIC (RFC 9250 section 4.1.1). */
export function isDnsOverQuic(bytes: Uint8Array, hello: ClientHello): boolean {
  const { protocolsFrom: from, protocolsTo: to } = hello;
  return from >= 0 && to - from >= 4 && u8(bytes, from) === 3 && latin1(bytes, from + 1, from + 4) === 'doq';
}
