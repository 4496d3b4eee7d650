// A webhook: one POST for each message, with what its receiver takes. TLS is checked, redirections are not followed, and of an answer only the
// status counts.

import type { Severity } from '../model/alert.ts';
import type { WebhookFormat, WebhookPlan } from '../model/delivery.ts';
import { reasonOf } from '../model/errors.ts';
import { DELIVERED, type Delivery, failed, type Outcome } from './delivery.ts';
import { post, refusalOf } from './http.ts';
import type { Message } from './message.ts';

/** How long a request may take. */
const LONGEST_MS = 10_000;
const PATIENCE_MS = 3 * 24 * 3_600_000;
/** Discord refuses more, characters. */
const LONGEST_CONTENT = 1900;
/** ntfy shows these like urgent and high; 3 is its default. */
const NTFY_PRIORITY: Readonly<Record<Severity, number>> = { info: 3, warning: 4, critical: 5 };
/** Discord: no previews of links (SUPPRESS_EMBEDS). */
const NO_EMBEDS = 4;

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
    const { url, token, ca, format } = this.#plan;
    const { type, body, headers } = bodyFor(format, message);
    const bearer = token === null ? {} : { authorization: `Bearer ${token}` };
    const request = { url, ca, caName: 'webhook-ca', longestMs: this.#longestMs, body };
    try {
      const answer = await post({ ...request, headers: { 'content-type': type, ...headers, ...bearer } });
      const { status, retryAfter } = answer;
      if (status >= 200 && status < 300) return DELIVERED;
      // Nothing helps a message that is refused for what it is.
      const isHopeless = status === 400 || status === 413 || status === 422;
      return failed(refusalOf(answer), !isHopeless, retryAfter);
    } catch (thrown) {
      return failed(reasonOf(thrown), true);
    }
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
