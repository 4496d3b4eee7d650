// Words of alerts that wait for the first alert.

import { afterEach, expect, test, vi } from 'vitest';

const { DisplayNames } = Intl;

afterEach(() => {
  Object.assign(Intl, { DisplayNames });
});

test('names of countries are loaded for the first alert that has one, not before the first frame', async () => {
  let made = 0;
  const Counted = class extends DisplayNames {
    constructor(...args: ConstructorParameters<typeof DisplayNames>) {
      super(...args);
      made++;
    }
  };
  Object.assign(Intl, { DisplayNames: Counted });
  vi.resetModules();
  const { countryName } = await import('../../../src/watch/words.ts');
  expect(countryName('not a code')).toBe('not a code');
  expect(made).toBe(0);
  expect(countryName('DE')).toBe('Germany');
  expect(countryName('QQ')).toBe('QQ');
  expect(made).toBe(1);
});
