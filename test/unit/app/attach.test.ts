// What must wait for the drop of root does: files of the user's and keys.

import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { LIVE_LIMITS } from '../../../src/aggregate/aggregator.ts';
import { EventLog } from '../../../src/aggregate/event-log.ts';
import { type Assembled, assemble } from '../../../src/app/assemble.ts';
import { attach } from '../../../src/app/attach.ts';
import type { RunScreen } from '../../../src/app/screen.ts';
import type { OutsideEffect } from '../../../src/tui/tui.ts';
import { initialState } from '../../../src/view/state.ts';
import { captureIn, fakeRights, opened, ownFolder } from '../../support/fake-run.ts';

/** A screen that notes when it begins to read keys, and may be asked to press one. */
class FakeScreen {
  readonly notices: string[] = [];
  press: (effect: OutsideEffect) => void = () => {};
  readonly #calls: string[];

  constructor(calls: string[]) {
    this.#calls = calls;
  }

  get screen(): RunScreen {
    const tui = {
      state: initialState({ columns: 80, rows: 24, theme: 'netmon', themes: [] }),
      apply: (action: { type: string; text?: string }) => void this.notices.push(action.text ?? action.type),
      listen: (perform: (effect: OutsideEffect) => void) => {
        this.#calls.push('keys');
        this.press = perform;
      },
    };
    return { tui, output: {}, close: () => {} } as unknown as RunScreen;
  }
}

async function assembled(words: readonly string[], calls: string[], drop = () => {}) {
  const { opened: run, closing } = await opened(words, fakeRights(calls, drop));
  return { assembled: await assemble(run, closing), closing };
}

function onScreen(before: Assembled, screen: RunScreen): Assembled {
  return { ...before, events: new EventLog(), opened: { ...before.opened, mode: 'screen', screen } };
}

describe('root is dropped', () => {
  test('before history is written and keys are read', async () => {
    const folder = ownFolder();
    const history = ownFolder();
    const calls: string[] = [];
    const drop = () => calls.push(...readdirSync(history));
    const words = ['--json', '--read', captureIn(folder), `--history=${join(history, 'h.sqlite')}`];
    const { assembled: before, closing } = await assembled(words, calls, drop);
    const fake = new FakeScreen(calls);
    const loop = await attach(onScreen(before, fake.screen), closing);
    expect(calls).toEqual(['drop', 'keys']);
    expect(loop.stays).toBe(true);
    expect(readdirSync(history)).not.toEqual([]);
    // The thread that saves is not built here, and so there is something to complain about.
    const printed = vi.spyOn(process.stderr, 'write').mockImplementation(() => calls.push('complaint') > 0);
    await closing.close();
    printed.mockRestore();
    expect(calls).toEqual(['drop', 'keys', 'complaint', 'rights closed']);
  });

  test('and what fails then ends the run with nothing begun', async () => {
    const calls: string[] = [];
    const { assembled: before, closing } = await assembled(['--json', '--read', captureIn(ownFolder())], calls, () => {
      throw new Error('setuid failed');
    });
    const fake = new FakeScreen(calls);
    await expect(attach(onScreen(before, fake.screen), closing)).rejects.toThrow('setuid failed');
    await closing.close();
    expect(calls).toEqual(['drop', 'rights closed']);
  });
});

describe('the key of history', () => {
  /** Presses it in a run that does not record. @returns what the screen says */
  async function pressed(path: string, state = {}) {
    const { assembled: before, closing } = await assembled(['--json', '--read', captureIn(ownFolder()), `--history=${path}`], []);
    const { opened: run } = before;
    const history = run.options.history === null ? null : { ...run.options.history, record: false };
    const fake = new FakeScreen([]);
    Object.assign(fake.screen.tui.state, state);
    const quiet = { ...before, opened: { ...run, options: { ...run.options, history } } };
    const shown = onScreen(quiet, fake.screen);
    await attach(shown, closing);
    fake.press({ type: 'save-history' });
    await vi.waitFor(() => expect(fake.notices).toHaveLength(1), 10_000);
    const status = before.parts.monitor.tick(1, 1000, [], LIVE_LIMITS).capture.history;
    const printed = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    await closing.close();
    printed.mockRestore();
    return { said: fake.notices[0], status, events: shown.events };
  }

  test('begins to record, and says where', async () => {
    const path = join(ownFolder(), 'h.sqlite');
    const { said, status } = await pressed(path);
    expect(said).toBe(`recording from now on, into ${path}`);
    expect(status).toMatchObject({ state: 'recording', path });
    expect(readdirSync(dirname(path))).toContain('h.sqlite.lock');
  });

  test('says what to type where it cannot, and goes on as before', async () => {
    const { said, status } = await pressed('/proc/none/h.sqlite');
    expect(said).toMatch(/^not recording, name another place with --history=PATH: \/proc\/none: /);
    expect(status).toBeNull();
  });
});

describe('the screen', () => {
  test('gets what it asks for', async () => {
    const { assembled: before, closing } = await assembled(['--json', '--read', captureIn(ownFolder())], []);
    const fake = new FakeScreen([]);
    const { guard } = await attach(onScreen(before, fake.screen), closing);
    fake.press({ type: 'range-totals', from: 0, to: 1 });
    fake.press({ type: 'capture-on', interfaces: ['eth0'] });
    fake.press({ type: 'list-interfaces' });
    await new Promise(setImmediate);
    expect(fake.notices).toEqual(['range-totals', 'the interfaces of this run are fixed', 'interfaces']);
    fake.press({ type: 'quit' });
    const session = { run: () => new Promise<never>(() => {}), stop: () => {} };
    const ended = guard.run({ ...session, run: () => Promise.resolve({ kind: 'done' }) }, true);
    expect(await ended).toEqual({ kind: 'done' });
  });
});
