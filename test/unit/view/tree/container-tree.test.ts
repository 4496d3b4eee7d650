// Apps by container: what a container moved is what its apps moved, and what runs in none stays as it is.

import { expect, test } from 'vitest';
import { type Container, NO_LINEAGE, type Process } from '../../../../src/model/terms.ts';
import type { Command } from '../../../../src/view/action.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { filterOfRow } from '../../../../src/view/input/row-filter.ts';
import { initialState, type ViewState } from '../../../../src/view/state.ts';
import { orderedRows } from '../../../../src/view/tables/rows.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import type { AppLine } from '../../../../src/view/tree/app-tree.ts';
import { appRow, branchRow, snapshot } from '../../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
const NAMES = { image: null, pod: null, namespace: null, project: null, unknown: null };
const web: Container = { ...NAMES, engine: 'docker', id: 'a'.repeat(64), container: 'web' };
const pod = (id: string, container: string): Container => ({
  ...NAMES,
  engine: 'containerd',
  id,
  container,
  pod: 'db-0',
  namespace: 'shop',
});

function process(pid: number, name: string, container: Container | null): Process {
  return {
    ...{
      ...NO_LINEAGE,
      id: pid,
      pid,
      name,
      exe: null,
      uid: 0,
      user: 'root',
      parentPid: 1,
      startedAt: null,
      script: null,
      unit: null,
    },
    ...{ container, publisher: null, app: 0 },
  };
}

const app = (id: string, pid: number, container: Container | null, rxBytes: number) =>
  appRow({ id, app: id, rxBytes, flows: 1, pids: [pid], processCount: 1, processes: [process(pid, id, container)] });
const branch = (id: string, appId: string, pid: number, rxBytes: number, host: string) =>
  branchRow({ id, appId, app: appId, pid, host, hostId: host, rxBytes, rxRate: rxBytes / 10, flows: 1 });
const live = snapshot({
  apps: [
    app('nginx', 1, web, 100),
    app('curl', 2, web, 20),
    app('postgres', 3, pod('b'.repeat(64), 'db'), 1000),
    app('envoy', 4, pod('c'.repeat(64), 'proxy'), 3000),
    app('sshd', 5, null, 7),
  ],
  branches: [
    branch('1', 'nginx', 1, 60, 'a.example'),
    branch('2', 'nginx', 1, 30, 'b.example'),
    branch('3', 'curl', 2, 20, 'c.example'),
  ],
});

function press(state: ViewState, ...commands: Command[]): ViewState {
  return commands.reduce((next, command) => reduce(next, { type: 'command', command }, live, settings).state, state);
}
const rowsOf = (state: ViewState) => orderedRows(state, live, 'apps') as readonly AppLine[];
const shown = (state: ViewState) =>
  rowsOf(state).map(
    ({ app: name, reason, branch: at, rxBytes }) => `${' '.repeat(at?.depth ?? 0)}${name ?? `(${reason})`} ${rxBytes}`,
  );
const begin = () => press(initialState({ columns: 120, rows: 30 }), 'apps', 'containers');
const open = (state: ViewState, ...ids: string[]): ViewState => ({ ...state, open: { ...state.open, apps: ids } });

test('containers have what their apps moved, pods are one row, and the rest stays', () => {
  expect(shown(begin()).toSorted()).toEqual(['docker web 120', 'pod shop/db-0 4000', 'sshd 7']);
  expect(rowsOf(begin()).find(({ app: name }) => name === 'docker web')).toMatchObject({
    flows: 2,
    processCount: 2,
    pids: [1, 2],
  });
  expect(shown(press(begin(), 'containers'))).toContain('nginx 100');
  expect(shown(press(begin(), 'lineage'))).not.toContain('docker web 120');
});

test('a container opens to its apps, and an app to whom it talks, with what is missing', () => {
  const id = rowsOf(begin()).find(({ app: name }) => name === 'docker web')?.id ?? '';
  const opened = open(begin(), id, `${id}/nginx`);
  expect(shown(opened).filter((line) => line.startsWith(' '))).toEqual([
    ' nginx 100',
    '  a.example 60',
    '  b.example 30',
    '  (more hosts) 10',
    ' curl 20',
  ]);
});

test('its filter names the container, or the pod', () => {
  const state = begin();
  const filters = rowsOf(state).map(({ id }) => filterOfRow(state, live, 'apps', id));
  expect(filters.toSorted()).toEqual(['app=sshd', 'container=web', 'ns=shop pod=db-0']);
  const id = rowsOf(state).find(({ app: name }) => name === 'docker web')?.id ?? '';
  const opened = open(state, id, `${id}/nginx`);
  expect(filterOfRow(opened, live, 'apps', `${id}/nginx`)).toBe('app=nginx');
  expect(filterOfRow(opened, live, 'apps', `${id}/nginx/host:a.example`)).toBe('app=nginx host=a.example');
});
