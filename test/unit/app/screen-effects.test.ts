// What the screen asks of the run: one handler an effect, failures as notices, exports one at a time, rows copied wherever one can.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { copyHandler, type EffectHandlers, EffectRunner, Exports } from '../../../src/app/screen-effects.ts';
import type { ExportTable } from '../../../src/view/action.ts';
import { busy } from '../../support/snapshot-builder.ts';
import { Stage, turn } from '../../support/terminal.ts';

describe('an effect', () => {
  const only = (handlers: Partial<EffectHandlers>) => handlers as EffectHandlers;

  test('goes to the handler of its type', () => {
    const done: string[] = [];
    const quit = () => void done.push('quit');
    const runner = new EffectRunner(
      only({ quit, history: ({ requests }) => void done.push(`${requests.length} asked`) }),
      () => {},
    );
    runner.run({ type: 'history', requests: [] });
    runner.run({ type: 'quit' });
    expect(done).toEqual(['0 asked', 'quit']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no way');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no way'))],
  ])('whose handler %s ends in a notice', async (_, handler) => {
    const notices: string[] = [];
    const runner = new EffectRunner(only({ 'list-interfaces': handler }), (text) => notices.push(text));
    runner.run({ type: 'list-interfaces' });
    await turn();
    expect(notices).toEqual(['no way']);
  });
});

describe('exports', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'netmon-exports-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('nine hundred at once are one file, and refusals', async () => {
    const notices: string[] = [];
    const events: string[] = [];
    const log = { tell: (kind: string, text: string) => void events.push(`${kind}: ${text}`) };
    const exports = new Exports({ folders: [folder], owner: null }, log, (text) => notices.push(text));
    const table: ExportTable = { name: 'apps', time: 0, columns: ['app'], rows: [['curl']] };
    for (let i = 0; i < 900; i++) exports.write({ type: 'export', format: 'csv', table });
    await exports.idle();
    expect(readdirSync(folder)).toEqual(['netmon-apps-1970-01-01-000000Z.csv']);
    expect(notices.filter((text) => text === 'not exported: another export is still being written')).toHaveLength(899);
    expect(notices.at(-1)).toMatch(/^1 row written to /);
    expect(events).toEqual([`export: ${notices.at(-1)}`]);
    exports.write({ type: 'export', format: 'json', table });
    await exports.idle();
    expect(readdirSync(folder)).toHaveLength(2);
  });
});

describe('a row', () => {
  let stage: Stage;
  afterEach(() => stage.close());

  test.each([
    ["goes to the machine's clipboard", async () => true, true, 'row copied'],
    ['goes to the terminal if that clipboard refuses', async () => false, false, 'row sent to the terminal'],
    ['goes to the terminal if there is no other clipboard', null, false, 'row sent to the terminal'],
  ])('%s', async (_, clipboard, isCopied, notice) => {
    const copied: string[] = [];
    stage = new Stage(120, 30);
    const take = clipboard === null ? null : (text: string) => clipboard().finally(() => copied.push(text));
    await stage.show(busy(3));
    await copyHandler(take, stage.tui)({ type: 'copy', text: 'curl\t5' });
    stage.tui.flush();
    await stage.settle();
    expect(copied).toEqual(clipboard === null ? [] : ['curl\t5']);
    expect(stage.text()).toContain(notice);
    expect(stage.output.log.includes('\x1b]52;')).toBe(!isCopied);
  });
});
