// The catalogue of expected failures: code -> exit status. Anything that isn't a NetmonError is a bug.

/** Exit status of each expected failure (docs/json.md, "Exit status"). */
export const EXIT_STATUS = {
  internal: 1,
  usage: 2,
  permission: 3,
  'no-device': 4,
  'bad-filter': 5,
  terminal: 6,
  history: 7,
  'device-lost': 8,
} as const;

/** Exit status if what the user asked to be told by status is so: an alert, a policy that was left. It is no failure. */
export const FOUND_STATUS = 10;

/** What kind of failure it is; decides the exit status. */
export type ErrorCode = keyof typeof EXIT_STATUS;

/**
 * A failure that a user can do something about.
 *
 * `message` is lower case and names the thing; `hint` says what to type. Both are one line.
 */
export class NetmonError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | null;

  constructor(code: ErrorCode, message: string, hint: string | null = null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'NetmonError';
    this.code = code;
    this.hint = hint;
  }

  /** Exit status of the process that ends with this error. */
  get exitStatus(): number {
    return EXIT_STATUS[this.code];
  }
}

/** The text of anything thrown, one line, without a stack. */
export function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.split('\n', 1)[0] ?? '';
}
