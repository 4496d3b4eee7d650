import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Keyboard } from '../../../src/tui/keyboard.ts';
import { FakeInput } from '../../support/terminal.ts';

test('nothing of the terminal is read before it listens, nothing is lost, and answers are no keys', async () => {
  const input = new FakeInput();
  const answers: string[] = [];
  const keyboard = new Keyboard(input as unknown as NodeJS.ReadStream, (answer) => answers.push(answer.kind));
  let keys = '';
  keyboard.on('data', (chunk: Buffer) => {
    keys += chunk.toString('latin1');
  });
  keyboard.resume();
  input.write('2e\x1b[0n');
  await turn();
  expect([keys, answers, input.readableLength]).toEqual(['', [], 6]);
  keyboard.listen();
  input.write('q');
  await turn();
  await turn();
  expect([keys, answers, input.readableLength]).toEqual(['2eq', ['drawn'], 0]);
});
