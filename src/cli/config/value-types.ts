// What settings and flags accept: how text becomes a value, how a file writes it back, and how an error names it. Pure; whether a file or an
// interface exists is checked by those who open it.

import type { QuietHours } from '../../model/delivery.ts';
import type { ListenPlan } from '../../model/export.ts';
import type { Rotation } from '../../model/options.ts';
import { type KeepOptions, RING_BYTES } from '../../model/packets.ts';
import { sanitize } from '../../net/text.ts';

/** One kind of value. */
export interface ValueType<T> {
  /** What a value must be; completes "... is not". */
  readonly noun: string;
  /** A value that is accepted, as typed after a flag. */
  readonly example: string;
  /** How a configuration file writes it. */
  readonly form: 'boolean' | 'integer' | 'string' | 'strings';
  /** What a shell offers: these words, or names of that kind. */
  readonly offers: readonly string[] | 'files' | 'filter' | 'interfaces' | 'themes' | 'users';
  /** The value of a text, undefined if it is invalid. A list has one text for each entry, anything else has one text. */
  read(texts: readonly string[]): T | undefined;
  /** What a configuration file says to get this value. */
  write(value: NonNullable<T>): string | number | boolean | readonly string[];
  /** Makes paths in the value absolute. @param isTyped it was typed as a flag or a variable, rather than written into the file */
  resolve?(value: T, absolute: (path: string) => string, isTyped: boolean): T;
}

const TEXT_LIMIT = 4096;
const PATH_LIMIT = 1024;
const NAME_LIMIT = 128;
const INTERFACE_LIMIT = 64;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** Our own themes, and the word that chooses among them. */
export const THEMES: readonly string[] = ['auto', 'netmon', 'light', 'dusk', 'contrast', 'mono'];

function single<T>(
  noun: string,
  example: string,
  read: (text: string) => T | undefined,
  more: Partial<ValueType<T>> = {},
): ValueType<T> {
  return {
    noun,
    example,
    form: 'string',
    offers: [],
    read: (texts) => (texts.length === 1 ? read(texts[0] as string) : undefined),
    write: (value) => String(value),
    ...more,
  };
}

/** True or false. */
export const TOGGLE: ValueType<boolean> = single('true or false', 'true', toggle, {
  form: 'boolean',
  offers: ['true', 'false'],
  write: (value) => value,
});

function toggle(text: string): boolean | undefined {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  return /^(0|false|no|off)$/i.test(text) ? false : undefined;
}

/** One of a few words. */
export function choice<T extends string>(choices: readonly T[], example: T = choices[0] as T): ValueType<T> {
  return single(`one of ${choices.join(', ')}`, example, (text) => choices.find((one) => one === text), { offers: choices });
}

/** A whole number. */
export function whole(
  least: number,
  most: number,
  example: number,
  noun = `a whole number from ${least} to ${most}`,
): ValueType<number> {
  const read = (text: string) => (/^\d{1,10}$/.test(text) ? within(Number(text), least, most) : undefined);
  return single(noun, String(example), read, { form: 'integer', write: (value) => value });
}

/** A duration, kept in milliseconds. @param range in words */
export function duration(least: number, most: number, example: string, range: string): ValueType<number> {
  return single(`a duration ${range}`, example, (text) => within(parseDuration(text), least, most), { write: formatDuration });
}

/** A number of bytes. @param range in words */
export function size(least: number, most: number, example: string, range: string): ValueType<number> {
  const read = (text: string) => within(parseSize(text)?.bytes ?? null, least, most);
  return single(`a size ${range}`, example, read, { write: (bytes) => `${bytes / 1e6} MB` });
}

const LONGEST_KEPT = 86_400_000;

/** How packets are kept: for a time, up to a size, or both. */
export const KEEP: ValueType<KeepOptions | null> = single<KeepOptions | null>(
  'a time from 1s to 24h, a size from 1 MB to 2 GB, or both, such as "60s", "200MB" or "10m,1GB"',
  '60s',
  (text) => {
    const parts = text.split(',').map((part) => part.trim());
    const times = parts.map(parseDuration).filter((ms) => ms !== null);
    // `5m` is five minutes, `5M` five megabytes; a number without a unit is neither.
    const others = parts.filter((part) => parseDuration(part) === null && /\D/.test(part));
    const sizes = others.map(parseSize).filter((parsed) => parsed !== null);
    if (times.length > 1 || sizes.length > 1 || times.length + sizes.length !== parts.length) return undefined;
    const forMs = times[0] === undefined ? null : within(times[0], 1000, LONGEST_KEPT);
    const bytes = sizes[0] === undefined ? RING_BYTES.usual : within(sizes[0].bytes, RING_BYTES.least, RING_BYTES.most);
    return forMs === undefined || bytes === undefined ? undefined : { bytes, forMs };
  },
  {
    write: ({ bytes, forMs }) =>
      [forMs === null ? '' : formatDuration(forMs), forMs !== null && bytes === RING_BYTES.usual ? '' : `${bytes / 1e6}MB`]
        .filter((part) => part !== '')
        .join(','),
  },
);

const LONGEST_FILE_MS = 366 * 86_400_000;

/** When another file begins: after a size, or after a time. */
export const ROTATION: ValueType<Rotation | null> = single<Rotation | null>(
  'a size from 10 kB to 1 PB or a time from 1s to 366d, such as "100MB" or "10m"',
  '100MB',
  (text) => {
    const ms = parseDuration(text);
    // `5m` is five minutes, `5M` five megabytes; a number without a unit is neither.
    const bytes = ms === null && /\D/.test(text) ? (parseSize(text)?.bytes ?? null) : null;
    if (ms !== null) return within(ms, 1000, LONGEST_FILE_MS) === undefined ? undefined : { bytes: null, ms };
    return bytes === null || within(bytes, 1e4, 1e15) === undefined ? undefined : { bytes, ms: null };
  },
  { write: ({ bytes, ms }) => (ms === null ? `${(bytes ?? 0) / 1e6}MB` : formatDuration(ms)) },
);

/** A size as it was written. */
export interface Amount {
  readonly bytes: number;
  /** True if the prefix is one of 1024. */
  readonly isBinary: boolean;
  readonly text: string;
}

/** A size that keeps its unit. */
export function amount(least: number, most: number, noun: string, example: string): ValueType<Amount | null> {
  const read = (text: string) => {
    const parsed = parseSize(text);
    return parsed !== null && within(parsed.bytes, least, most) !== undefined ? { ...parsed, text } : undefined;
  };
  return single<Amount | null>(noun, example, read, { write: (value) => value.text });
}

/** Text that is given to whoever understands it. */
export function text(noun: string, example: string, offers: readonly string[] = []): ValueType<string | null> {
  return single<string | null>(noun, example, (value) => value, { offers });
}

/** An expression that its own compiler checks later. Empty text is no expression: with it a flag overrides the file. */
export function expression(noun: string, example: string, offers: ValueType<string>['offers'] = []): ValueType<string | null> {
  const read = (value: string) => {
    if (value.trim() === '') return null;
    return plain(value, TEXT_LIMIT) ? value : undefined;
  };
  return single<string | null>(noun, example, read, { offers });
}

/** The path of a file. Kept absolute: typed ones are relative to the working folder, others to the configuration file. */
export function path(noun: string, example: string): ValueType<string | null> {
  const read = (value: string) =>
    value !== '' && value.length <= PATH_LIMIT && !value.includes('\0') && !value.endsWith('/') ? value : undefined;
  return single<string | null>(noun, example, read, {
    offers: 'files',
    resolve: (value, absolute) => (value === null ? null : absolute(value)),
  });
}

/** The name of a theme, or a path, which has a slash in it. */
export const THEME: ValueType<string> = single(
  'the name or the path of a theme',
  'light',
  (value) => (plain(value, PATH_LIMIT) ? value : undefined),
  { offers: 'themes', resolve: (value, absolute, isTyped) => (isTyped || !value.includes('/') ? value : absolute(value)) },
);

/** Names of interfaces, without repetitions. */
export const INTERFACES: ValueType<readonly string[]> = {
  noun: 'the name of an interface, or several (`any` stands alone)',
  example: 'en0',
  form: 'strings',
  offers: 'interfaces',
  read(texts) {
    const names = [...new Set(texts)];
    if (names.length > INTERFACE_LIMIT || !names.every(isInterface)) return undefined;
    return names.includes('any') && names.length > 1 ? undefined : names;
  },
  write: (names) => names,
};

/** The name of one interface. */
export const INTERFACE: ValueType<string | null> = single<string | null>(
  'the name of an interface',
  'en0',
  (value) => (isInterface(value) ? value : undefined),
  { offers: 'interfaces' },
);

/** The name of a user of this machine. */
export const USER: ValueType<string | null> = single<string | null>(
  'a user name',
  'nobody',
  (value) => (/^[\w][\w.$-]{0,63}$/.test(value) ? value : undefined),
  { offers: 'users' },
);

/** How many times as fast as real time; 0 doesn't wait at all. */
export const SPEED: ValueType<number | null> = single<number | null>('0 or a number from 0.001 to 1000000', '10', (value) => {
  const times = /^\d{1,7}(\.\d{1,6})?$/.test(value) ? Number(value) : Number.NaN;
  return times === 0 ? 0 : within(times, 0.001, 1_000_000);
});

/** A program with its arguments, which are written as they are: no shell reads them. */
export const COMMAND: ValueType<readonly string[]> = {
  noun: 'a program and its arguments, such as ["/usr/local/bin/tell", "me"]',
  example: '/usr/local/bin/tell',
  form: 'strings',
  offers: [],
  read: (texts) => {
    const isFine = texts.length <= 64 && texts.every((one) => one.length <= PATH_LIMIT && !one.includes('\0'));
    return isFine && (texts[0] ?? 'x') !== '' ? texts : undefined;
  },
  write: (words) => words,
  resolve: (words, absolute) => words.map((word, i) => (i === 0 ? absolute(word) : word)),
};

/** An address of the web. */
export const URL_TEXT: ValueType<string | null> = single<string | null>(
  'an address that begins with https:// or http://',
  'https://ntfy.sh/my-topic',
  (value) => {
    const isWeb = plain(value, PATH_LIMIT) && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
    return isWeb ? value : undefined;
  },
);

/** A collector of IPFIX, which has a port of its own. */
export const COLLECTOR: ValueType<string | null> = single<string | null>(
  'an address that begins with udp:// or tcp://',
  'udp://collector.example:4739',
  (value) => {
    const isCollector = plain(value, PATH_LIMIT) && /^(udp|tcp):\/\/[^/?#@]+\/?$/.test(value) && URL.canParse(value);
    if (!isCollector) return undefined;
    const url = new URL(value);
    return url.port === '' ? `${url.protocol}//${url.host}:4739` : `${url.protocol}//${url.host}`;
  },
);

/** A secret, as an HTTP header may carry it. */
export const TOKEN: ValueType<string | null> = single<string | null>('a token without spaces', 'tk_123', (value) =>
  /^[\x21-\x7e]{1,1024}$/.test(value) ? value : undefined,
);

/** Some of a few words, without repetitions. */
export function several<T extends string>(choices: readonly T[], example: string): ValueType<readonly T[]> {
  return {
    noun: `a list of ${choices.join(', ')}`,
    example,
    form: 'strings',
    offers: choices,
    read: (texts) => {
      const found = choices.filter((one) => texts.includes(one));
      return texts.every((one) => found.some((word) => word === one)) ? found : undefined;
    },
    write: (words) => words,
  };
}

/** Where this machine listens: only its own programs reach it. */
export const LISTEN: ValueType<ListenPlan | null> = single<ListenPlan | null>(
  'a loopback address and a port, such as "127.0.0.1:9464" or "[::1]:9464"',
  '127.0.0.1:9464',
  (value) => {
    const match = /^(127(?:\.\d{1,3}){3}|localhost|\[::1\]):(\d{1,5})$/.exec(value);
    const port = within(Number(match?.[2] ?? Number.NaN), 1, 65_535);
    const name = (match?.[1] ?? '').replace(/^localhost$/, '127.0.0.1');
    const isAddress = name === '[::1]' || name.split('.').every((part) => Number(part) < 256);
    return port === undefined || !isAddress ? undefined : { address: name.replace(/[[\]]/g, ''), port };
  },
  { write: ({ address, port }) => `${address.includes(':') ? `[${address}]` : address}:${port}` },
);

/** Hours of the day in which something rests. */
export const HOURS: ValueType<QuietHours | null> = single<QuietHours | null>(
  'a time of the day, such as "22:00-07:00"',
  '22:00-07:00',
  (value) => {
    const match = /^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$/.exec(value.replaceAll(' ', ''));
    const [h1 = 99, m1 = 99, h2 = 99, m2 = 99] = match?.slice(1).map(Number) ?? [];
    const [from, to] = [h1 * 60 + m1, h2 * 60 + m2];
    return Math.max(h1, h2) < 24 && Math.max(m1, m2) < 60 && from !== to ? { from, to } : undefined;
  },
  { write: ({ from, to }) => `${clockText(from)}-${clockText(to)}` },
);

function clockText(minutes: number): string {
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
}

/** So many of something in a time. */
export interface Rate {
  readonly most: number;
  readonly perMs: number;
}
const RATE_TIMES = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** A rate in messages. */
export const RATE: ValueType<Rate> = single<Rate>(
  'a number of messages in a time, such as "20 per hour"',
  '20 per hour',
  (value) => {
    const match = /^(\d{1,4}) ?(?:per|\/) ?(minute|hour|day)$/.exec(value);
    const most = within(Number(match?.[1] ?? Number.NaN), 1, 1000);
    return most === undefined ? undefined : { most, perMs: RATE_TIMES[match?.[2] as keyof typeof RATE_TIMES] };
  },
  {
    write: ({ most, perMs }) => `${most} per ${Object.entries(RATE_TIMES).find(([, ms]) => ms === perMs)?.[0] ?? 'hour'}`,
  },
);

function isInterface(name: string): boolean {
  return plain(name, NAME_LIMIT) && !/\s/.test(name) && !name.startsWith('-') && sanitize(name) === name;
}

function plain(value: string, limit: number): boolean {
  return value !== '' && value.length <= limit && !CONTROL.test(value);
}

function within(value: number | null, least: number, most: number): number | undefined {
  return value !== null && value >= least && value <= most ? value : undefined;
}

const DURATIONS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** Milliseconds of a text such as `500ms`, `1.5s` or `2m`; null if it is not a duration. A number needs its unit. */
export function parseDuration(typed: string): number | null {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s?(ms|[smhd])$/.exec(typed.trim());
  if (match === null) return null;
  const factor = DURATIONS.find(([unit]) => unit === match[2])?.[1] as number;
  return Math.round(Number(match[1]) * factor);
}

/** The shortest text that `parseDuration` reads back to the same milliseconds. */
export function formatDuration(ms: number): string {
  const [unit, factor] = DURATIONS.find(([, length]) => ms >= length && ms % length === 0) ?? ['ms', 1];
  return `${ms / factor}${unit}`;
}

/** Powers of 1000 or 1024, by letter. */
const POWERS = 'kmgtp';

/**
 * Bytes of `500 GB`, `1.5TiB`, `250 g` or `5242880`; null if it is not a size.
 *
 * Computed in whole numbers; the fraction of a byte is rounded. `Gb` is refused, because it may mean bits.
 */
export function parseSize(typed: string): { readonly bytes: number; readonly isBinary: boolean } | null {
  const match = /^(\d{1,16})(?:\.(\d{1,6}))?(?: ?(?:([kmgtpKMGTP])(i?)B?|([kmgtp])(i?)b|B))?$/.exec(typed);
  if (match === null) return null;
  const [, digits = '', fraction = ''] = match;
  const letter = (match[3] ?? match[5] ?? '').toLowerCase();
  const isBinary = (match[4] ?? match[6] ?? '') !== '';
  const unit = letter === '' ? 1n : (isBinary ? 1024n : 1000n) ** BigInt(POWERS.indexOf(letter) + 1);
  const parts = 10n ** BigInt(fraction.length);
  const bytes = Number((BigInt(digits + fraction) * unit * 2n + parts) / (parts * 2n));
  return { bytes, isBinary };
}
