// What ends a run, and the status it ends with.

import { constants } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { Guard, loop } from '../../../src/app/loop.ts';
import { NetmonError } from '../../../src/model/errors.ts';
import type { SessionEnd } from '../../../src/pipeline/live-session.ts';

const EVENTS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException', 'unhandledRejection'] as const;
const listeners = () => EVENTS.map((name) => process.listenerCount(name as 'SIGINT'));
/** Calls what listened last: to send ourselves a signal would end the test. */
const raise = (name: (typeof EVENTS)[number], thrown?: unknown) =>
  (process.listeners(name as 'SIGINT').at(-1) as ((thrown: unknown) => void) | undefined)?.(thrown);

/** A session that ends when it is stopped, even if that was before it began. */
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

  it('keeps a reason to stop that came before the session', async () => {
    guard = new Guard();
    raise('SIGHUP');
    guard.stop({ kind: 'done' });
    expect(await guard.run(new FakeSession(), true)).toEqual({ kind: 'signal', number: constants.signals.SIGHUP });
  });

  it('rejects with an uncaught exception, also with one that came before the session', async () => {
    guard = new Guard();
    raise('unhandledRejection', new Error('early'));
    await expect(guard.run(new FakeSession(), false)).rejects.toThrow('early');
    guard.close();
    guard = new Guard();
    const end = guard.run(new FakeSession(), false);
    raise('uncaughtException', new Error('late'));
    await expect(end).rejects.toThrow('late');
  });

  it('keeps a session that is done until the user leaves, if it stays', async () => {
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

  it('throws what made the output fail, once the session has ended', async () => {
    guard = new Guard();
    const session = new FakeSession();
    const end = guard.run(session, false);
    guard.outputClosed(new Error('disk full'));
    guard.outputClosed(null);
    await expect(end).rejects.toThrow('disk full');
  });

  it('takes a reader that went away for a normal end', async () => {
    guard = new Guard();
    guard.outputClosed(null);
    expect(await guard.run(new FakeSession(), false)).toEqual({ kind: 'done' });
  });
});

describe('loop', () => {
  const ended = async (end: SessionEnd, failure: NetmonError | null = null) => {
    const guard = new Guard();
    try {
      const session = { run: () => Promise.resolve(end), stop: () => {} };
      return await loop({ guard, session, source: { failure }, stays: false, writing: null, command: null });
    } finally {
      guard.close();
    }
  };

  it('ends with 0, or with 128 and the signal', async () => {
    expect(await ended({ kind: 'done' })).toBe(0);
    expect(await ended({ kind: 'signal', number: 15 })).toBe(143);
  });

  it('throws why the capture is lost: in its own words, else that the interface is gone', async () => {
    const lost: SessionEnd = { kind: 'lost', note: 'eth9 went away' };
    await expect(ended(lost)).rejects.toMatchObject({ code: 'device-lost', message: 'the interface is gone: eth9 went away' });
    await expect(ended(lost, new NetmonError('permission', 'refused', 'ask'))).rejects.toMatchObject({ code: 'permission' });
  });
});
