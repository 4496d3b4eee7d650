import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { reportCommand } from '../../src/cli/report/report.ts';
import { openHistory } from '../../src/history/query/reader.ts';
import type { HistoryRow } from '../../src/model/history.ts';
import { formatAmount } from '../../src/view/text/format.ts';
import { Browser, browserPath } from '../support/browser.ts';
import { sqlJs } from '../support/history.ts';
import { localThreads } from '../support/reader-thread.ts';
import { sampleHistory } from '../support/sample-history.ts';
import { FakeReader, fakeIo } from '../unit/cli/history/fake-io.ts';

const path = browserPath();
if (path === null) console.log('skipped, the report in a browser: no Chromium is installed');

const NOW = new Date(2026, 10, 22, 17, 30).getTime();
let folder = '';
let history = '';
const HOSTILE = '<script>alert("x")</script> & evil';

async function report(words: string): Promise<string> {
  const file = join(folder, `${words.replace(/\W/g, '') || 'default'}.html`);
  const sql = await sqlJs();
  const room = {
    ...fakeIo(new FakeReader()),
    clock: { now: () => NOW, monotonic: () => 0 },
    open: (name: string) => openHistory(name, localThreads(sql)),
  };
  const line = parseCommandLine(['report', '--html', file, ...words.split(' ').filter((word) => word !== '')]);
  await reportCommand(line, { units: 'bytes' }, history, null, '1.2.3', room);
  return file;
}

async function topApps(days: number): Promise<readonly HistoryRow[]> {
  const reader = await openHistory(history, localThreads(await sqlJs()));
  const to = NOW + 60_000;
  const nothing = { app: null, domain: null, category: null, interface: null, filter: null };
  const { rows } = await reader.query({ from: NOW - days * 86_400_000, to, by: 'app', ...nothing, top: 5, steps: 0 });
  await reader.close();
  return rows;
}

describe.skipIf(path === null)('the report in a browser', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'netmon-report-'));
    history = join(folder, 'history.sqlite');
    writeFileSync(history, sampleHistory(await sqlJs(), 60, NOW), { mode: 0o600 });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(['', '--since 24h', '--since 60d'])('shows its figures and asks for nothing: %s', async (words) => {
    const file = await report(words);
    const browser = await Browser.open(path as string, pathToFileURL(file).href);
    try {
      const cells = await browser.evaluate<string[]>(
        "[...document.querySelectorAll('section table td')].map((cell) => cell.textContent)",
      );
      for (const { key, rxBytes } of await topApps(words.includes('60') ? 60 : words.includes('24') ? 1 : 7)) {
        if (key === null) continue;
        const at = cells.indexOf(key);
        expect(at, key).toBeGreaterThanOrEqual(0);
        expect(cells[at + 1]).toBe(formatAmount(rxBytes, 'bytes').trim());
      }
      for (const width of [1280, 420] as const)
        for (const scheme of ['light', 'dark'] as const) {
          await browser.look(width, scheme);
          expect(
            await browser.evaluate('document.documentElement.scrollWidth <= innerWidth'),
            `${width}: nothing sticks out`,
          ).toBe(true);
          const sizes = await browser.evaluate<{ width: number; height: number; bars: number }[]>(
            `[...document.querySelectorAll('svg.chart')].map((svg) => { const { width, height } = svg.getBoundingClientRect(); return { width, height, bars: svg.querySelectorAll('rect').length }; }).filter(({ width }) => width > 0)`,
          );
          expect(sizes.length).toBe(words.includes('60') ? 2 : 3);
          for (const size of sizes) {
            expect(size.width).toBeGreaterThan(300);
            expect(size.height).toBeGreaterThan(100);
            expect(size.bars).toBeGreaterThan(4);
          }
          expect(await browser.evaluate(CONTRASTS), `${scheme}, texts of too little contrast`).toEqual([]);
        }
      expect(await browser.evaluate('document.querySelectorAll("svg.chart:not([aria-labelledby])").length')).toBe(0);
      expect(browser.complaints).toEqual([]);
      expect(browser.requests).toEqual([pathToFileURL(file).href]);
    } finally {
      await browser.close();
    }
  });

  it('shows hostile names as text, and sorts by a click', async () => {
    const file = await report('--since 30d');
    const browser = await Browser.open(path as string, pathToFileURL(file).href);
    try {
      expect(await browser.evaluate('document.scripts.length')).toBe(1);
      const names = "[...document.querySelector('table').tBodies[0].rows].map((row) => row.cells[0].textContent)";
      const before = await browser.evaluate<string[]>(names);
      expect(before).toContain(HOSTILE);
      await browser.evaluate("document.querySelector('table th button').click()");
      const after = await browser.evaluate<string[]>(names);
      expect(after).not.toEqual(before);
      expect([...after].sort()).toEqual([...before].sort());
      expect(await browser.evaluate("document.querySelector('table th').getAttribute('aria-sort')")).toBe('descending');
      expect(browser.complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  it('lets no other script or style in', async () => {
    const file = await report('--since 2d');
    const poisoned = readFileSync(file, 'utf8').replace(
      '</main>',
      '<script>document.title = "owned"</script><img src="https://example.com/x.png"></main>',
    );
    writeFileSync(file, poisoned);
    const browser = await Browser.open(path as string, pathToFileURL(file).href);
    try {
      expect(await browser.evaluate('document.title')).toMatch(/^Network report, /);
      expect(browser.complaints.join()).toContain('Content Security Policy');
    } finally {
      await browser.close();
    }
  });
});

/** Texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, 1.4.3), worked out in the page. */
const CONTRASTS = `(() => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((part) => { const c = part / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const field = at.tagName === 'text' && at.previousElementSibling?.tagName === 'rect' && at.parentElement.classList.contains('day') ? getComputedStyle(at.previousElementSibling).fill : getComputedStyle(at).backgroundColor;
      if (field !== 'rgba(0, 0, 0, 0)') return field;
    }
    return 'rgb(255, 255, 255)';
  };
  const bad = [];
  for (const element of document.querySelectorAll('h1,h2,p,dt,dd,td,th,caption,summary,li,text,footer,span')) {
    if (element.getBoundingClientRect().width === 0 || element.textContent.trim() === '') continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(element.tagName === 'text' ? style.fill : style.color), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(element.tagName + ' ' + element.textContent.slice(0, 20) + ' ' + ratio.toFixed(2));
  }
  return [...new Set(bad)];
})()`;
