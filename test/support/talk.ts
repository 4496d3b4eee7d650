// What servers answer in TLS, built with right lengths, a certificate, and a recorder of what inspection tells about how flows are spoken.

import type { ServerChoice, TalkFindings } from '../../src/inspect/talk.ts';
import type { TlsOffer } from '../../src/model/talk.ts';
import { be16, hex, join } from './frames.ts';
import { helloExtension, tlsRecords } from './payloads.ts';

/** Of `openssl req -x509`, for www.example.com, with three more names, two addresses and a mail address. */
export const CERTIFICATE = Uint8Array.from(
  Buffer.from(
    'MIICITCCAcigAwIBAgIUZ6zw42brcjmMEIJmDSqA1cfq20wwCgYIKoZIzj0EAwIwMDEUMBIGA1UECgwLRXhhbXBsZSBMdGQxGDAWBgNVBAMMD3' +
      'd3dy5leGFtcGxlLmNvbTAgFw0yNjExMzAxNzAyMDJaGA8yMDgxMDkwMjE3MDIwMlowMDEUMBIGA1UECgwLRXhhbXBsZSBMdGQxGDAWBgNVBAMM' +
      'D3d3dy5leGFtcGxlLmNvbTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFHbJInqkI94VxCrYaHkkK9coO7R6HgO5PIuyrgoAvYfaRsO2uVsYw' +
      'psdeUHn6HWeuGKURKu3hWAKb/BYMS1JICjgb0wgbowHQYDVR0OBBYEFIRaDzPnNAwpigYPImUTVyrgmhZuMB8GA1UdIwQYMBaAFIRaDzPnNAwp' +
      'igYPImUTVyrgmhZuMA8GA1UdEwEB/wQFMAMBAf8wZwYDVR0RBGAwXoIPd3d3LmV4YW1wbGUuY29tgg0qLmV4YW1wbGUub3JnghV4bi0tYmNoZX' +
      'Ita3ZhLmV4YW1wbGWHBMAAAgeHECABDbgAAAAAAAAAAAAAAAeBDWFAZXhhbXBsZS5jb20wCgYIKoZIzj0EAwIDRwAwRAIgDObIS9F32lHTnxiL' +
      'IEEpiHW+qGXRHbmSgiI2BM3xtDkCIBudVZttflWLQ1W4IFdUN5jOaxNSnXkm5NKd3XjntzL2',
    'base64',
  ),
);

export interface AnswerFields {
  /** Chosen in the extension of TLS 1.3; null leaves that out. */
  version?: number | null;
  cipher?: number;
  session?: Uint8Array;
  /** It takes a pre-shared key. */
  keyed?: boolean;
  /** It asks for another hello. */
  retry?: boolean;
  protocol?: string;
  /** Further extensions. */
  extensions?: readonly Uint8Array[];
}

const message = (type: number, body: Uint8Array): Uint8Array =>
  join([type, body.length >>> 16], be16(body.length & 0xffff), body);

/** A ServerHello with its handshake header. */
export function answerMessage(fields: AnswerFields = {}): Uint8Array {
  const { version = 0x0304, cipher = 0x1301, session = new Uint8Array(32), protocol } = fields;
  const random = hex(
    fields.retry === true ? 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c' : '33'.repeat(32),
  );
  const extensions = join(
    version === null ? [] : helloExtension(0x33, [0, 0x1d, 0, 4, 1, 2, 3, 4]),
    version === null ? [] : helloExtension(0x2b, be16(version)),
    fields.keyed === true ? helloExtension(41, [0, 0]) : [],
    protocol === undefined ? [] : helloExtension(16, join(be16(protocol.length + 1), [protocol.length], Buffer.from(protocol))),
    ...(fields.extensions ?? []),
  );
  const body = join([3, 3], random, [session.length], session, be16(cipher), [0], be16(extensions.length), extensions);
  return message(2, body);
}

/** A Certificate with its handshake header: as TLS 1.2 sends it. */
export function certificateMessage(...certificates: readonly Uint8Array[]): Uint8Array {
  const sized = (bytes: Uint8Array): Uint8Array => join([bytes.length >>> 16], be16(bytes.length & 0xffff), bytes);
  return message(11, sized(join(...certificates.map(sized))));
}

/** A server's first records of TLS 1.2. */
export function flight(fields: AnswerFields = {}, certificate: Uint8Array = CERTIFICATE): Uint8Array {
  const hello = answerMessage({ version: null, cipher: 0xc02b, ...fields });
  return join(tlsRecords(hello), tlsRecords(certificateMessage(certificate)), tlsRecords(message(14, new Uint8Array(0))));
}

/** A change to the new keys, then encrypted bytes. */
export const changeOfKeys = (): Uint8Array => join([0x14, 3, 3, 0, 1, 1], [0x16, 3, 3, 0, 40], new Uint8Array(40).fill(0xaa));
/** A record of encrypted data. */
export const encrypted = (bytes = 64): Uint8Array => join([0x17, 3, 3], be16(bytes), new Uint8Array(bytes).fill(0xaa));
/** An alert in clear text. */
export const alert = (code: number): Uint8Array => Uint8Array.from([0x15, 3, 3, 0, 2, 2, code]);

/** What was told, one line a fact. */
export class TalkRecorder implements TalkFindings {
  readonly told: string[] = [];
  readonly offers: TlsOffer[] = [];
  readonly choices: ServerChoice[] = [];

  offered(flow: number, offer: TlsOffer): void {
    this.offers.push(offer);
    this.told.push(`${flow} offers ${offer.version.toString(16)} ${offer.protocols.join(',')}${offer.ech ? ' ech' : ''}`);
  }

  answered(flow: number, choice: ServerChoice, session: number): void {
    this.choices.push(choice);
    const { version, cipher, protocol, isKeyed, isRetry } = choice;
    const more = `${isKeyed ? ' keyed' : ''}${isRetry ? ' retry' : ''}${session === 0 ? '' : ' session'}`;
    this.told.push(`${flow} takes ${version.toString(16)} ${cipher.toString(16)} ${protocol}${more}`);
  }

  certified(flow: number, names: readonly string[], isCut: boolean): void {
    this.told.push(`${flow} is ${names.join(' ')}${isCut ? ' ...' : ''}`);
  }

  secured(flow: number, time: number): void {
    this.told.push(`${flow} secured at ${time}`);
  }

  alerted(flow: number, code: number, fromOpener: boolean): void {
    this.told.push(`${flow} alert ${code} ${fromOpener ? 'out' : 'back'}`);
  }

  requested(flow: number, method: string, segment: string | null): void {
    this.told.push(`${flow} ${method} ${segment}`);
  }

  responded(flow: number, status: number): void {
    this.told.push(`${flow} ${status}`);
  }
}
