import { constants } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { Guard } from '../../../src/app/guard.ts';
import type { SessionEnd } from '../../../src/pipeline/live-session.ts';

const EVENTS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException', 'unhandledRejection'] as const;
const listeners = () => EVENTS.map((name) => process.listenerCount(name as 'SIGINT'));
/** Calls what listened last: to send ourselves a signal would end the test. */
const raise = (name: (typeof EVENTS)[number], thrown?: unknown) =>
  (process.listeners(name as 'SIGINT').at(-1) as ((thrown: unknown) => void) | undefined)?.(thrown);

/** A session that ends when it is told to, or at once when it was told before it began. */
class FakeSession {
  readonly #ended: Promise<SessionEnd>;
  #resolve: (end: SessionEnd) => void = () => {};

  constructor() {
    this.#ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  run(): Promise<SessionEnd> {
    return this.#ended;
  }

  stop(end: SessionEnd): void {
    this.#resolve(end);
  }
}

describe('Guard', () => {
  const before = listeners();
  let guard = new Guard();
  guard.close();
  afterEach(() => guard.close());

  it('listens between new and close', () => {
    guard = new Guard();
    expect(listeners()).toEqual(before.map((count) => count + 1));
    guard.close();
    expect(listeners()).toEqual(before);
  });

  it('ends a session by the first signal', async () => {
    guard = new Guard();
    const end = guard.run(new FakeSession(), false);
    raise('SIGTERM');
    raise('SIGHUP');
    expect(await end).toEqual({ kind: 'signal', number: constants.signals.SIGTERM });
  });

  it('keeps what it was told before there was a session', async () => {
    guard = new Guard();
    raise('SIGHUP');
    guard.stop({ kind: 'done' });
    expect(await guard.run(new FakeSession(), true)).toEqual({ kind: 'signal', number: constants.signals.SIGHUP });
  });

  it('hands on what nobody caught, also when it came before the session', async () => {
    guard = new Guard();
    raise('unhandledRejection', new Error('early'));
    await expect(guard.run(new FakeSession(), false)).rejects.toThrow('early');
    guard.close();
    guard = new Guard();
    const end = guard.run(new FakeSession(), false);
    raise('uncaughtException', new Error('late'));
    await expect(end).rejects.toThrow('late');
  });

  it('keeps a session that is done by itself until the user leaves, where it stays', async () => {
    guard = new Guard();
    let ended = false;
    const session = { run: () => Promise.resolve<SessionEnd>({ kind: 'done' }), stop: () => {} };
    const end = guard.run(session, true).finally(() => {
      ended = true;
    });
    await new Promise(setImmediate);
    expect(ended).toBe(false);
    guard.stop({ kind: 'done' });
    expect(await end).toEqual({ kind: 'done' });
  });
});
