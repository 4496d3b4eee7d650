// Pictures of our themes for the documentation, drawn from the screen itself. `node scripts/pictures.mjs` writes them; here they are only looked at.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { busy, series } from '../support/snapshot-builder.ts';
import { screenSvg } from '../support/svg.ts';
import { ourTheme, Stage } from '../support/terminal.ts';

const FOLDER = new URL('../../docs/themes/', import.meta.url);
const PAGE = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
/** What a theme's terminal has itself, where the theme leaves that as it is. */
const GROUND = { fg: 0xd0d0d0, bg: 0x14161b };
const SIZE = { columns: 112, rows: 36 };

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

describe.each(['netmon', 'light', 'mono', 'contrast', 'dusk'])('%s', (name) => {
  const file = new URL(`${name}.svg`, FOLDER);

  test('is drawn, with nothing in it but text', async () => {
    const theme = ourTheme(name);
    const stage = new Stage(SIZE.columns, SIZE.rows, { theme });
    await stage.show(work());
    const ground = { fg: theme.colours.main_fg ?? GROUND.fg, bg: theme.colours.main_bg ?? GROUND.bg };
    const svg = screenSvg(stage.terminal, ground, `netmon-tui in its theme ${name}`);
    stage.close();
    expect(svg).toContain('>mDNSResponder<');
    expect(svg).toContain('<path d="M');
    expect(svg).not.toMatch(/<script|href=|undefined|NaN/);
    if (process.env['NETMON_PICTURES'] === undefined) return;
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, svg);
  });

  test('is shown in the documentation', () => {
    expect(existsSync(file), `docs/themes/${name}.svg; type: node scripts/pictures.mjs`).toBe(true);
    expect(PAGE).toContain(`(themes/${name}.svg)`);
  });
});
