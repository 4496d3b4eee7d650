// Pictures of the screen for the documentation, drawn from the screen itself. `node scripts/pictures.mjs` writes them; here they are only looked at.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { busy, series } from '../support/snapshot-builder.ts';
import { screenSvg } from '../support/svg.ts';
import { ourTheme, Stage } from '../support/terminal.ts';

const DOCS = new URL('../../docs/', import.meta.url);
const page = (name: string): string => readFileSync(new URL(name, DOCS), 'utf8');
/** What a theme's terminal has itself, where the theme leaves that as it is. */
const GROUND = { fg: 0xd0d0d0, bg: 0x14161b };
const SIZE: Size = { columns: 112, rows: 36 };

interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Five minutes of a day at work. */
function work() {
  const shown = busy(40);
  const wave = (i: number) => 900_000 * (1.3 + Math.sin(i / 17) + 0.5 * Math.sin(i / 5) + (i % 7) / 14);
  const burst = (i: number) => (i > 182 && i < 196 ? 5_200_000 - Math.abs(i - 188) * 500_000 : 0);
  const seconds = series(
    shown.time,
    1000,
    300,
    (i) => Math.round(wave(i) + burst(i)),
    (i) => Math.round(wave(i + 60) / 3 + burst(i - 30) / 3),
  );
  return { ...shown, rates: { ...shown.rates, seconds } };
}

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});

/** Draws the screen, and writes the picture if asked to. */
async function draw(theme: ReturnType<typeof ourTheme>, size: Size, lite: boolean, file: URL, title: string): Promise<string> {
  const stage = new Stage(size.columns, size.rows, { theme, lite });
  await stage.show(work());
  const ground = { fg: theme.colours.main_fg ?? GROUND.fg, bg: theme.colours.main_bg ?? GROUND.bg };
  const svg = screenSvg(stage.terminal, ground, title);
  stage.close();
  if (process.env['NETMON_PICTURES'] !== undefined) {
    mkdirSync(new URL('./', file), { recursive: true });
    writeFileSync(file, svg);
  }
  return svg;
}

function expectPicture(svg: string): void {
  expect(svg).toContain('>Spotify<');
  expect(svg).toContain('<path d="M');
  expect(svg).not.toMatch(/<script|href=|undefined|NaN/);
}

describe.each(['netmon', 'light', 'mono', 'contrast', 'dusk'])('%s', (name) => {
  const file = new URL(`themes/${name}.svg`, DOCS);

  test('is drawn, with nothing in it but text', async () => {
    expectPicture(await draw(ourTheme(name), SIZE, false, file, `netmon-tui in its theme ${name}`));
  });

  test('is shown in the documentation', () => {
    expect(existsSync(file), `docs/themes/${name}.svg; type: node scripts/pictures.mjs`).toBe(true);
    expect(page('configuration.md')).toContain(`(themes/${name}.svg)`);
  });
});

describe.each([
  ['lite', { columns: 80, rows: 24 }, true],
  ['wide', { columns: 180, rows: 50 }, false],
] as const)('the %s screen', (name, size, lite) => {
  const file = new URL(`screens/${name}.svg`, DOCS);

  test('is drawn, with nothing in it but text', async () => {
    expectPicture(await draw(ourTheme('netmon'), size, lite, file, `the ${name} screen of netmon-tui`));
  });

  test('is shown in the documentation', () => {
    expect(existsSync(file), `docs/screens/${name}.svg; type: node scripts/pictures.mjs`).toBe(true);
    expect(page('usage.md')).toContain(`(screens/${name}.svg)`);
    expect(page('../README.md')).toContain(`(docs/screens/${name}.svg)`);
  });
});
