// What a run opened is closed in one order, whatever the order of opening, and whatever fails.

import { describe, expect, test } from 'vitest';
import { Closing } from '../../../src/app/close.ts';

describe('closing', () => {
  test('gives the screen back first and the rights last, one after the other', async () => {
    const closing = new Closing();
    const closed: string[] = [];
    const slowly = (what: string) => async () => {
      closed.push(`${what} begins`);
      await new Promise(setImmediate);
      closed.push(`${what} ends`);
    };
    closing.add('rights', slowly('rights'));
    closing.add('capture', slowly('capture'));
    closing.add('screen', () => void closed.push('screen'));
    closing.add('history', slowly('history'));
    await closing.close();
    const ends = ['history', 'capture', 'rights'].flatMap((what) => [`${what} begins`, `${what} ends`]);
    expect(closed).toEqual(['screen', ...ends]);
  });

  test('takes the latest of one kind first', async () => {
    const closing = new Closing();
    const closed: number[] = [];
    closing.add('lookups', () => void closed.push(1));
    closing.add('lookups', () => void closed.push(2));
    await closing.close();
    expect(closed).toEqual([2, 1]);
  });

  test('closes the rest though a step fails, and throws the first failure', async () => {
    const closing = new Closing();
    const closed: string[] = [];
    closing.add('rights', () => void closed.push('rights'));
    closing.add('capture', () => Promise.reject(new Error('capture')));
    closing.add('screen', () => {
      throw new Error('screen');
    });
    await expect(closing.close()).rejects.toThrow('screen');
    expect(closed).toEqual(['rights']);
    await closing.close(); // nothing is left to close
    expect(closed).toEqual(['rights']);
  });
});
