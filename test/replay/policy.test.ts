// A policy on a whole run over a capture with its processes: what leaves it is an alert, and the exit status if that was asked for.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { policyOf } from '../../src/cli/config/policy-file.ts';
import { demoCapture } from '../support/demo-capture.ts';
import { optionsOf, outcomeOf } from '../support/whole-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'netmon-policy-'));
const capture = join(folder, 'demo.pcapng');
beforeAll(() => writeFileSync(capture, demoCapture(20)));
afterAll(() => rmSync(folder, { recursive: true }));

/** Without samples. */
async function judgedOnce(...words: string[]) {
  const options = await optionsOf(['--read', capture, '--once', '--policy', 'p', '--exit-code', ...words]);
  const policy = policyOf('p', '[app."Google Chrome"]\nallow = ["*.youtube.com"]');
  return outcomeOf({ ...options, policy: { path: 'p', policy, additionsPath: 'p.additions' } });
}

async function judged(policy: string, ...words: string[]) {
  const options = await optionsOf(['--json', '--read', capture, '--speed', '0', '--policy', 'p', ...words]);
  const { status, lines } = await outcomeOf({
    ...options,
    policy: { path: 'p', policy: policyOf('p', policy), additionsPath: 'p.additions' },
  });
  const drifts = lines.filter(({ type, kind }) => type === 'alert' && kind === 'policy');
  return { status, texts: drifts.map(({ text }) => text) };
}

it('a file that is read at once tells before its end', async () => {
  const { lines, status } = await judgedOnce('--json');
  expect(lines.map(({ type }) => type)).toEqual([...lines.slice(1).map(() => 'alert'), 'end']);
  expect(lines.filter(({ kind }) => kind === 'policy').length).toBeGreaterThan(0);
  expect(status).toBe(10);
});

const CHROME = '[app."Google Chrome"]\nallow = ["*.youtube.com", "*.googlevideo.com:443"';

it('what a policy allows raises nothing', async () => {
  expect(await judged(`${CHROME}, "*"]`, '--exit-code')).toEqual({ status: 0, texts: [] });
});

it('what leaves it is an alert with a sentence, and status 10 if asked', async () => {
  const { status, texts } = await judged(`${CHROME}]`, '--exit-code');
  expect(status).toBe(10);
  expect(texts.length).toBeGreaterThan(0);
  expect(texts.every((text) => /^Google Chrome reached \S+, which its policy doesn't allow\.$/.test(String(text)))).toBe(true);
  expect(new Set(texts).size).toBe(texts.length);
  expect(texts.join()).not.toMatch(/youtube|googlevideo/);
  expect((await judged(`${CHROME}]`)).status).toBe(0);
});

it('a strict one tells once of each app that it does not list', async () => {
  const { status, texts } = await judged('strict = true\n[app."Google Chrome"]\nallow = ["*"]', '--exit-code');
  expect(status).toBe(10);
  const apps = texts.map((text) => / list (.*)\.$/.exec(String(text))?.[1]);
  expect(apps).not.toContain(undefined);
  expect(new Set(apps).size).toBe(apps.length);
});
