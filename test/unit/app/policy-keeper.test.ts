import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { PolicyKeeper } from '../../../src/app/policy-keeper.ts';
import { policyOf } from '../../../src/cli/config/policy-file.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { judge } from '../../../src/watch/policy.ts';

const OWN = '# mine\n[app.curl]\nallow = ["a.com"]\nstrict = true\n';
let folder = '';
let path = '';
let beside = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netmon-keeper-'));
  path = join(folder, 'home.toml');
  beside = join(folder, 'home.additions.toml');
  writeFileSync(path, OWN);
});
afterEach(() => rmSync(folder, { recursive: true }));

const keeper = () => new PolicyKeeper({ path, additionsPath: beside, policy: policyOf(path, OWN) }, null);
const verdict = (kept: PolicyKeeper, app: string, name: string) =>
  judge(kept.policy, { app, name, address: null, port: 443, asn: null, hidden: null }).verdict;

it('an addition is in force at once, and in a file of its own that only its owner reads', async () => {
  const kept = keeper();
  expect(verdict(kept, 'curl', 'b.com')).toBe('drift');
  expect(await kept.allow('curl', 'b.com')).toBe('');
  await kept.allow('Google Chrome', '2001:db8::1');
  await kept.allow('curl', 'b.com');
  expect([verdict(kept, 'curl', 'a.com'), verdict(kept, 'curl', 'b.com')]).toEqual(['name', 'name']);
  expect(kept.policy.apps.get('curl')?.strict).toBe(true);
  expect(readFileSync(path, 'utf8')).toBe(OWN);
  expect(statSync(beside).mode & 0o777).toBe(0o600);
  const { apps } = policyOf(beside, readFileSync(beside, 'utf8'));
  expect([...apps].map(([app, { allow }]) => [app, allow.map(({ text }) => text)])).toEqual([
    ['curl', ['b.com']],
    ['Google Chrome', ['2001:db8::1']],
  ]);
});

it('what another run adds is in force here, too, and a mistake in the file takes nothing away', async () => {
  const now = vi.spyOn(systemClock, 'monotonic');
  onTestFinished(() => now.mockRestore());
  now.mockReturnValue(0);
  const [one, other] = [keeper(), keeper()];
  await one.allow('curl', 'b.com');
  expect(verdict(other, 'curl', 'b.com')).toBe('drift');
  now.mockReturnValue(2000);
  expect(verdict(other, 'curl', 'b.com')).toBe('name');
  writeFileSync(beside, 'broken = [');
  now.mockReturnValue(4000);
  expect(verdict(other, 'curl', 'b.com')).toBe('name');
});

it('what others could have written allows nothing', async () => {
  const now = vi.spyOn(systemClock, 'monotonic');
  onTestFinished(() => now.mockRestore());
  now.mockReturnValue(0);
  const [one, other] = [keeper(), keeper()];
  await one.allow('curl', 'b.com');
  chmodSync(beside, 0o666);
  now.mockReturnValue(2000);
  expect(verdict(other, 'curl', 'b.com')).toBe('drift');
  expect(await other.allow('curl', 'c.com')).toContain('others can write it');
});

it('what another run added stays', async () => {
  const [one, other] = [keeper(), keeper()];
  await one.allow('curl', 'b.com');
  await other.allow('curl', 'c.com');
  expect(readFileSync(beside, 'utf8')).toMatch(/"b\.com",\n {2}"c\.com",/);
});

it('what can not be written is in force for this run, and said; nothing is written through a link or over a mistake', async () => {
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, beside);
  const kept = keeper();
  expect(await kept.allow('curl', 'b.com')).toContain('only for this run: ');
  expect([verdict(kept, 'curl', 'b.com'), readFileSync(victim, 'utf8')]).toEqual(['name', 'precious']);
  rmSync(beside);
  writeFileSync(beside, 'broken = [');
  expect(await kept.allow('curl', 'c.com')).toContain('only for this run');
  expect(readFileSync(beside, 'utf8')).toBe('broken = [');
});

it('what is no host is refused', async () => {
  expect(await keeper().allow('curl', 'a b')).toBe("this can't be an entry of a policy");
});
