// Leaves out of records what says something about people, unless the user asked for it, or puts a keyed hash in its place. Everything that is sent
// passes here first.

import { createHmac } from 'node:crypto';
import type { Alert } from '../model/alert.ts';
import type { ExportPlan, PersonalField } from '../model/export.ts';
import type { MinuteRow } from '../model/export-batch.ts';
import type { LoggedFlow } from '../model/history-batch.ts';
import { ADDRESS_WORDS, parseAddress } from '../net/address.ts';

/** Hexadecimal digits of a hash: 64 bits, with which two of a million texts hardly ever share one. */
const DIGITS = 16;

/** What the user allows, applied to rows. The key never leaves this machine. */
export class Privacy {
  readonly #fields: ReadonlySet<PersonalField>;
  readonly #hashed: ReadonlySet<PersonalField>;
  readonly #key: string;
  readonly #address = new Int32Array(ADDRESS_WORDS);

  /** @param key of the hashes: whoever has it can try out names */
  constructor({ fields, hash }: Pick<ExportPlan, 'fields' | 'hash'>, key: string) {
    this.#fields = new Set(fields);
    this.#hashed = new Set(hash);
    this.#key = key;
  }

  /** A text of a field as it may be sent; null if it may not. */
  text(field: PersonalField, text: string | null): string | null {
    if (text === null || text === '') return text;
    if (this.#hashed.has(field)) return createHmac('sha256', this.#key).update(text).digest('hex').slice(0, DIGITS);
    return this.#fields.has(field) ? text : null;
  }

  minute(row: MinuteRow): MinuteRow {
    const { exe, host, domain } = row;
    return { ...row, exe: this.text('exe', exe), host: this.#host(host), domain: this.text('domain', domain) };
  }

  flow(flow: LoggedFlow): LoggedFlow {
    const { exe, user, host, domain, localAddress, remoteAddress } = flow;
    return {
      ...flow,
      exe: this.text('exe', exe),
      user: this.text('user', user),
      host: this.#host(host),
      domain: this.text('domain', domain),
      localAddress: this.text('address', localAddress) ?? '',
      remoteAddress: this.text('address', remoteAddress) ?? '',
    };
  }

  /** Sentences name whatever they are about: they are only sent if all of that may be. */
  alert(alert: Alert): Alert {
    const { exe, user, host, domain } = alert;
    const isFree = (['exe', 'host', 'domain', 'address', 'user'] as const).every((field) => this.#fields.has(field));
    return {
      ...alert,
      exe: this.text('exe', exe),
      user: this.text('user', user),
      host: this.#host(host),
      domain: this.text('domain', domain),
      text: isFree ? alert.text : '',
      details: isFree ? alert.details : [],
      evidence: null,
    };
  }

  /** A remote end without a name has its address in place of one. */
  #host(host: string | null): string | null {
    return this.text(host !== null && parseAddress(host, this.#address) ? 'address' : 'host', host);
  }
}
