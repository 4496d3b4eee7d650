// A webhook: one POST for each message, with what its receiver takes. TLS is checked, redirections are not followed, and of an answer only the
// status counts.

import { realpathSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { type RequestOptions, request as tlsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import type { Severity } from '../model/alert.ts';
import type { WebhookFormat, WebhookPlan } from '../model/delivery.ts';
import { reasonOf } from '../model/errors.ts';
import { systemFiles } from '../system/files.ts';
import { DELIVERED, type Delivery, failed, type Outcome } from './delivery.ts';
import type { Message } from './message.ts';
import { whyOpenToOthers } from './trusted-path.ts';

/** How long a request may take. */
const LONGEST_MS = 10_000;
const PATIENCE_MS = 3 * 24 * 3_600_000;
/** Longest pause that a receiver may ask for. */
const LONGEST_PAUSE_MS = 3_600_000;
/** Discord refuses more, characters. */
const LONGEST_CONTENT = 1900;
/** ntfy shows these like urgent and high; 3 is its default. */
const NTFY_PRIORITY: Readonly<Record<Severity, number>> = { info: 3, warning: 4, critical: 5 };
/** Discord: no previews of links (SUPPRESS_EMBEDS). */
const NO_EMBEDS = 4;

const UNTRUSTED = "its certificate isn't trusted; webhook-ca adds certificates of your own";
/** What is wrong where nobody could be asked, by the codes of Node and OpenSSL; of others the code is said. */
const REASON_OF: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name in DNS',
  EAI_AGAIN: "its name can't be looked up now",
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was closed',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: "its certificate isn't valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
};

/** The webhook of the configuration. */
export class WebhookDelivery implements Delivery {
  readonly channel = 'webhook';
  readonly isLog = false;
  readonly patienceMs = PATIENCE_MS;
  readonly #plan: WebhookPlan;
  readonly #longestMs: number;

  constructor(plan: WebhookPlan, longestMs = LONGEST_MS) {
    this.#plan = plan;
    this.#longestMs = longestMs;
  }

  async send(message: Message): Promise<Outcome> {
    try {
      const { status, retryAfter } = await this.#post(bodyFor(this.#plan.format, message));
      if (status >= 200 && status < 300) return DELIVERED;
      if (status >= 300 && status < 400) return failed(`it redirects (status ${status}); name the final address`, true);
      // Nothing helps a message that is refused for what it is.
      const isHopeless = status === 400 || status === 413 || status === 422;
      return failed(`it answers with status ${status}`, !isHopeless, retryAfter);
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      return failed(code === undefined ? reasonOf(thrown) : (REASON_OF[code] ?? code), true);
    }
  }

  #post({ type, body, headers }: Body): Promise<{ readonly status: number; readonly retryAfter: number | null }> {
    const { url, token, ca } = this.#plan;
    const target = new URL(url);
    const options: RequestOptions = {
      method: 'POST',
      rejectUnauthorized: true, // whatever NODE_TLS_REJECT_UNAUTHORIZED says
      agent: false,
      headers: {
        'content-type': type,
        'content-length': Buffer.byteLength(body),
        'user-agent': 'netmon-tui',
        ...headers,
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(ca === null ? {} : { ca: [...rootCertificates, certificatesIn(ca)] }),
    };
    return new Promise((resolve, reject) => {
      const answered = (response: IncomingMessage) => {
        resolve({ status: response.statusCode ?? 0, retryAfter: pauseIn(response.headers['retry-after']) });
        call.destroy();
      };
      const call: ClientRequest = (target.protocol === 'https:' ? tlsRequest : plainRequest)(target, options, answered);
      const timer = setTimeout(() => call.destroy(new Error(`no answer within ${this.#longestMs / 1000} s`)), this.#longestMs);
      call.once('close', () => {
        clearTimeout(timer);
        reject(new Error('the connection was closed')); // nothing happens if it was answered
      });
      call.once('error', reject);
      call.end(body);
    });
  }
}

interface Body {
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string | number>>;
}

/** What a receiver gets. Texts are escaped for it: a name from outside must not ping a channel or draw a link. */
export function bodyFor(format: WebhookFormat, { json, title, text, severity }: Message): Body {
  const typed = (value: object): Body => ({ type: 'application/json', body: JSON.stringify(value) });
  switch (format) {
    case 'json':
      return { type: 'application/json', body: json };
    case 'ntfy':
      return {
        type: 'text/plain; charset=utf-8',
        body: text,
        headers: { title, priority: NTFY_PRIORITY[severity], tags: 'satellite' },
      };
    case 'slack':
      // https://docs.slack.dev/messaging/formatting-message-text, "Escaping text"
      return typed({ text: `*${title}*\n${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}` });
    case 'discord': {
      const escaped = text.replace(/[\\*_~`|<>[\]()#@:-]/g, '\\$&');
      const content = `**${title}**\n${escaped}`.slice(0, LONGEST_CONTENT);
      return typed({ content, allowed_mentions: { parse: [] }, flags: NO_EMBEDS });
    }
  }
}

/** Text of a PEM file that only the user and root could have written: whoever else could might answer as anybody. @throws Error that says why not */
function certificatesIn(path: string): string {
  try {
    const fault = whyOpenToOthers(path, process.geteuid?.());
    if (fault !== null) throw new Error(`webhook-ca is refused: ${fault}`);
    const read = systemFiles.read(realpathSync(path), false);
    if (read.kind === 'read' && read.isFile) return read.text;
    throw new Error(read.kind === 'failed' ? `webhook-ca can't be read (${read.reason})` : 'webhook-ca is not a file');
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    throw code === undefined ? thrown : new Error(`webhook-ca can't be read (${code})`);
  }
}

/** The pause of a Retry-After in seconds, ms; null without one. */
function pauseIn(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Math.min(Number(header) * 1000, LONGEST_PAUSE_MS) : null;
}
