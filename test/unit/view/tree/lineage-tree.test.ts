// Apps by what started them: sums of whole trees, also of parents that moved nothing themselves, and what belongs to none of them.

import { expect, test } from 'vitest';
import type { Snapshot, Traffic } from '../../../../src/model/snapshot.ts';
import { type Ancestor, NO_LINEAGE, type Process } from '../../../../src/model/terms.ts';
import type { Command } from '../../../../src/view/action.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { filterOfRow } from '../../../../src/view/input/row-filter.ts';
import { headerPanel } from '../../../../src/view/panels/header.ts';
import { initialState, type ViewState } from '../../../../src/view/state.ts';
import { type AnyRow, orderedRows } from '../../../../src/view/tables/rows.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import type { AppLine } from '../../../../src/view/tree/app-tree.ts';
import { appRow, branchRow, flowRow, NOON, snapshot } from '../../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };

function press(state: ViewState, of: Snapshot, ...commands: Command[]): ViewState {
  let next = state;
  for (const command of commands) next = reduce(next, { type: 'command', command }, of, settings).state;
  return next;
}

const at = (pid: number, name: string): Ancestor => ({ pid, name, startedAt: NOON - pid * 1000 });
const init = at(1, 'systemd');
const bash = at(20, 'bash');
const npm = at(30, 'npm');
const sh = at(40, 'sh');

function process(self: Ancestor, above: readonly Ancestor[], parts: Partial<Process> = {}): Process {
  return {
    ...NO_LINEAGE,
    ...{ id: self.pid, pid: self.pid, name: self.name, exe: `/bin/${self.name}`, uid: 0, user: 'ann', parentPid: 1 },
    ...{
      startedAt: self.startedAt,
      script: null,
      unit: null,
      container: null,
      publisher: null,
      app: 0,
      ancestors: above,
      origin: above[1] ?? self,
    },
    ...{ session: 20, terminal: 'pts/3' },
    ...parts,
  };
}

const node = process(at(50, 'node'), [init, bash, npm, sh]);
const git = process(at(60, 'git'), [init, bash, npm]);
const nginx = process(at(70, 'nginx'), [init], { session: 70, terminal: null });
const part = (id: string, app: string, of: Process | null, rxBytes: number, host: string | null = 'a.example') =>
  branchRow({ id, appId: app, app, pid: of?.pid ?? null, process: of, host, hostId: host, rxBytes, rxRate: rxBytes / 10 });

const live = (parts: Partial<Snapshot> = {}): Snapshot =>
  snapshot({
    apps: [
      appRow({ id: 'node', app: 'node', rxBytes: 1000, processCount: 2, processes: [node] }),
      appRow({ id: 'git', app: 'git', rxBytes: 300, processCount: 1, processes: [git] }),
      appRow({ id: 'nginx', app: 'nginx', rxBytes: 50, processCount: 1, processes: [nginx] }),
      appRow({ id: 'old', app: 'old', rxBytes: 7, processCount: 1 }),
    ],
    branches: [
      part('1', 'node', node, 600),
      part('2', 'node', node, 100, 'b.example'),
      part('3', 'node', null, 200),
      part('4', 'git', git, 300),
      part('5', 'nginx', nginx, 50),
      part('6', 'old', null, 7),
    ],
    ...parts,
  });

const open = (state: ViewState, ...ids: string[]): ViewState => ({ ...state, open: { ...state.open, apps: ids } });
const rowsOf = (state: ViewState, of: Snapshot) => orderedRows(state, of, 'apps') as readonly AppLine[];
const shown = (rows: readonly AppLine[]) =>
  rows.map(({ app, reason, branch, rxBytes }) => `${' '.repeat(branch?.depth ?? 0)}${app ?? `(${reason})`} ${rxBytes}`);
const sum = (rows: readonly AnyRow[]) => (rows as readonly Traffic[]).reduce((total, { rxBytes }) => total + rxBytes, 0);
const begin = (of: Snapshot) => press(initialState({ columns: 120, rows: 30 }), of, 'apps', 'lineage');

test('heads of lines have what all below them moved; the rest stays with its app, and all add up', () => {
  const rows = rowsOf(begin(live()), live());
  expect(shown(rows)).toEqual(['bash 1000', 'nginx 50', 'node 300', 'old 7']);
  expect(rows[0]).toMatchObject({ pids: [20], processCount: 2, user: 'ann', branch: { terminal: 'pts/3' } });
  expect(sum(rows)).toBe(1357);
  const again = press(begin(live()), live(), 'lineage');
  expect(shown(rowsOf(again, live()))).toContain('node 1000');
});

test('a row opens to what it started, then to whom it talked itself; those between that moved nothing share a row', () => {
  const state = begin(live());
  const [head] = rowsOf(state, live());
  const rows = rowsOf(open(state, head?.id ?? ''), live());
  expect(shown(rows).slice(0, 2)).toEqual(['bash 1000', ' npm 1000']);
  const [, second] = rows;
  const all = rowsOf(open(state, head?.id ?? '', second?.id ?? ''), live());
  expect(shown(all).slice(2, 4)).toEqual(['  sh > node 700', '  git 300']);
  const last = rowsOf(open(state, head?.id ?? '', second?.id ?? '', all[2]?.id ?? ''), live());
  expect(shown(last).slice(3, 5)).toEqual(['   a.example 600', '   b.example 100']);
});

test('a filter for a row finds the process and all that it started', () => {
  const state = begin(live());
  const [head] = rowsOf(state, live());
  expect(filterOfRow(state, live(), 'apps', head?.id ?? '')).toBe('(pid=20 or ancestor=20)');
});

test('a line longer than what is kept hangs under its head', () => {
  const far = [1, 2, 3, 4, 5, 6].map((i) => at(100 + i, `step-${i}`));
  const deep = process(at(200, 'deep'), far, { origin: bash });
  const of = live({ branches: [part('1', 'node', deep, 1000)] });
  expect(shown(rowsOf(begin(of), of))[0]).toBe('bash 1000');
});

test('parents that go in circles, and a start that two clocks tell differently, make no row twice and no end', () => {
  const [a, b] = [at(301, 'a'), at(302, 'b')];
  const circle = [process(a, [init, b], { origin: b }), process(b, [init, a], { origin: a })];
  const later = { ...npm, startedAt: (npm.startedAt ?? 0) + 1000 };
  const twin = process(at(61, 'curl'), [init, bash, later]);
  const of = live({
    branches: [
      ...circle.map((each, i) => part(`c${i}`, 'node', each, 10)),
      part('4', 'git', git, 200),
      part('5', 'git', twin, 100),
    ],
  });
  const rows = rowsOf(begin(of), of);
  expect(sum(rows)).toBe(1357);
  const head = rows.find(({ app }) => app === 'bash');
  expect(shown(rowsOf(open(begin(of), head?.id ?? ''), of)).filter((row) => /npm/.test(row))).toEqual([' npm 300']);
});

test('where nobody knows who started what, it is the table of apps; in a range of the past the processes listed tell', () => {
  const none = live({ branches: null, apps: live().apps.map((row) => ({ ...row, processes: [] })) });
  expect(shown(rowsOf(begin(none), none))).toEqual(shown(rowsOf(press(begin(none), none, 'lineage'), none)));
  const flows = [flowRow({ id: '1', app: 'git', pid: 60, rxBytes: 300 })];
  const listed = live({ branches: null, flows });
  expect(shown(rowsOf(begin(listed), listed))).toContain('bash 300');
});

test('the key follows the process of a row, and nothing where a row is no process', () => {
  const asked = (state: ViewState) => reduce(state, { type: 'command', command: 'follow' }, live(), settings);
  expect(asked(begin(live())).effects).toEqual([{ type: 'follow', pid: 20 }]);
  const plain = asked(press(initialState({ columns: 120, rows: 30 }), live(), 'apps'));
  expect([plain.effects, plain.state.notice]).toEqual([
    [],
    'this follows a process: choose one where apps stand by what started them',
  ]);
});

test('a session of the command line is shown open, and the header names what is followed', () => {
  const sessions = [{ pid: 30, name: 'npm' }];
  const ids = [`process:30.${npm.startedAt}`, `process:20.${bash.startedAt}`];
  const of = live();
  const state = reduce(initialState({ columns: 120, rows: 30 }), { type: 'followed', sessions, opened: ids }, of, settings).state;
  expect([state.view, state.byLineage, state.followed]).toEqual(['apps', true, sessions]);
  expect(shown(rowsOf(state, of)).slice(0, 2)).toEqual(['bash 1000', ' npm 1000']);
  const header = (followed: ViewState['followed'], parts: Partial<ViewState> = {}) =>
    headerPanel({ ...state, followed, ...parts }, of, UNICODE_GLYPHS, 120)
      .map((line) => line.map(({ text }) => text).join(''))
      .join('\n');
  expect(header(sessions)).toContain('following npm 30');
  expect(header(sessions, { privacy: true })).toContain('following 1 session');
  expect(header([...sessions, { pid: 7, name: 'x' }])).toContain('following 2 sessions');
  expect(header([])).not.toContain('following');
});
