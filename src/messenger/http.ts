// The messenger's HTTP client: one request over one connection. TLS is checked, redirections are not followed, and of an answer only the status,
// the pause that it asks for and the beginning of its text are read.

import { realpathSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { type RequestOptions, request as tlsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import { sanitize } from '../net/text.ts';
import { systemFiles } from '../system/files.ts';
import { whyOpenToOthers } from './trusted-path.ts';

/** Longest pause that a receiver may ask for, ms. */
const LONGEST_PAUSE_MS = 3_600_000;
/** Bytes of an answer's text that are read. */
const LONGEST_TEXT = 4096;
/** An answer's text is waited for this long, ms: its status is known by then. */
const TEXT_MS = 2000;
const READABLE_BY_OTHERS = 0o077;
/** What is wrong where nobody could be asked, by the codes of Node and OpenSSL; of others the code is said. */
const REASON_OF: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name in DNS',
  EAI_AGAIN: "its name can't be looked up now",
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was closed',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: "its certificate isn't valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};
/** Codes of a certificate that nobody vouches for. */
const UNTRUSTED: readonly string[] = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

/** A POST. */
export interface HttpRequest {
  readonly url: string | URL;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string | Uint8Array;
  /** PEM file with the certificates to trust besides Node's; null for none. */
  readonly ca: string | null;
  /** Setting that names that file, for messages. */
  readonly caName: string;
  /** How long all of it may take, ms. */
  readonly longestMs: number;
}

/** What came back. */
export interface HttpAnswer {
  readonly status: number;
  /** The pause of a Retry-After, ms; null without one. */
  readonly retryAfter: number | null;
  /** The first line of its text; empty if it was not waited for. */
  readonly text: string;
  /** The beginning of what it says, as it came. */
  readonly bytes: Uint8Array;
}

/** Answers whose text is waited for. */
type Read = 'none' | 'failures' | 'all';

/** Posts. Rejects with the reason in words if nobody could be asked. */
export async function post(request: HttpRequest, reads: Read = 'none'): Promise<HttpAnswer> {
  try {
    return await posted(request, reads);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === undefined) throw thrown;
    const untrusted = `its certificate isn't trusted; ${request.caName} adds certificates of your own`;
    throw new Error(UNTRUSTED.includes(code) ? untrusted : (REASON_OF[code] ?? code));
  }
}

function posted({ url, headers, body, ca, caName, longestMs }: HttpRequest, reads: Read): Promise<HttpAnswer> {
  const target = new URL(url);
  const options: RequestOptions = {
    method: 'POST',
    rejectUnauthorized: true, // whatever NODE_TLS_REJECT_UNAUTHORIZED says
    agent: false,
    headers: { 'content-length': Buffer.byteLength(body), 'user-agent': 'netmon-tui', ...headers },
    ...(ca === null ? {} : { ca: [...rootCertificates, certificatesIn(ca, caName)] }),
  };
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage) => {
      const { statusCode: status = 0 } = response;
      const retryAfter = pauseIn(response.headers['retry-after']);
      const read: Buffer[] = [];
      let length = 0;
      const done = () => {
        const bytes = Buffer.concat(read).subarray(0, LONGEST_TEXT);
        resolve({ status, retryAfter, text: sanitize(bytes.toString('utf8').trimStart().split('\n', 1)[0] as string), bytes });
        call.destroy();
      };
      if (reads === 'none' || (reads === 'failures' && isSuccess(status))) return done();
      const late = setTimeout(done, TEXT_MS);
      response.on('data', (chunk: Buffer) => {
        read.push(chunk);
        length += chunk.length;
        if (length >= LONGEST_TEXT) done();
      });
      response.once('close', () => {
        clearTimeout(late);
        done();
      });
      response.once('error', done);
      return undefined;
    };
    const call: ClientRequest = (target.protocol === 'https:' ? tlsRequest : plainRequest)(target, options, answered);
    const timer = setTimeout(() => call.destroy(new Error(`no answer within ${longestMs / 1000} s`)), longestMs);
    call.once('close', () => {
      clearTimeout(timer);
      reject(new Error('the connection was closed')); // nothing happens if it was answered
    });
    call.once('error', reject);
    call.end(body);
  });
}

/** Text of a PEM file that only the user and root could have written: whoever else could might answer as anybody. @throws Error that says why not */
function certificatesIn(path: string, name: string): string {
  return trustedText(path, name, null);
}

/** Text of a file with a secret, without the line's end: only its owner may read it. @param name the setting that names it @throws Error that says why not */
export function secretIn(path: string, name: string): string {
  const text = trustedText(path, name, `it can be read by others; type: chmod 600 ${path}`).trim();
  if (!/^[\x21-\x7e]{1,1024}$/.test(text)) throw new Error(`${name} is refused: it does not hold one word`);
  return text;
}

/** @param ifOpen why a file that others may read is refused; null takes it */
function trustedText(path: string, name: string, ifOpen: string | null): string {
  try {
    const fault = whyOpenToOthers(path, process.geteuid?.());
    if (fault !== null) throw new Error(`${name} is refused: ${fault}`);
    const read = systemFiles.read(realpathSync(path), false);
    if (read.kind === 'read' && read.isFile) {
      if (ifOpen !== null && (read.mode & READABLE_BY_OTHERS) !== 0) throw new Error(`${name} is refused: ${ifOpen}`);
      return read.text;
    }
    throw new Error(read.kind === 'failed' ? `${name} can't be read (${read.reason})` : `${name} is not a file`);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    throw code === undefined ? thrown : new Error(`${name} can't be read (${code})`);
  }
}

/** The pause of a Retry-After in seconds, ms; null without one. */
function pauseIn(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Math.min(Number(header) * 1000, LONGEST_PAUSE_MS) : null;
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Why an answer is no success, in words. */
export function refusalOf({ status, text }: HttpAnswer): string {
  if (status >= 300 && status < 400) return `it redirects (status ${status}); name the final address`;
  return `it answers with status ${status}${text === '' ? '' : `: ${text.slice(0, 200)}`}`;
}
