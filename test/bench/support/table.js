// The table of a bench run: what was measured, what it should be, and how a peer did in the same run. Judges, and never fails.

/**
 * One figure.
 *
 * @typedef {object} Row
 * @property {string} what
 * @property {number | null} value null where it could not be measured; `note` says why
 * @property {Unit} unit
 * @property {{least?: number, most?: number}} [goal] the design's; absent where it has none
 * @property {readonly {name: string, value: number}[]} [peers] in the same unit, measured in the same run
 * @property {readonly (import('./pairs.js').Ratio | null)[]} [ratios] to peers that were measured in turn with it; null where there is none
 * @property {string} [note]
 */

/** @typedef {'packets/s' | 'messages/s' | 'ms' | 'MiB' | '% of a core' | 'bytes' | 'lost %' | 'count'} Unit */

const perSecond = (value) =>
  value >= 1e6 ? `${(value / 1e6).toFixed(2)} M/s` : `${(value / 1e3).toFixed(value < 1e5 ? 1 : 0)} k/s`;
const FORMATS = {
  'packets/s': perSecond,
  'messages/s': perSecond,
  ms: (value) => `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`,
  MiB: (value) => `${value.toFixed(0)} MiB`,
  '% of a core': (value) => `${value.toFixed(value < 10 ? 2 : 1)} %`,
  bytes: (value) => `${Math.round(value)} B`,
  'lost %': (value) => `${value.toFixed(value === 0 ? 0 : 3)} %`,
  count: (value) => String(Math.round(value)),
};
const HEADINGS = ['what', 'measured', 'goal', 'beside it', 'ratio', 'met'];

const RATIO_HEADINGS = ['ratio', 'beside', 'median', 'spread', 'goal', 'met'];

/** Lines of the tables of one bench: ratios first, then figures. @param {readonly Row[]} rows */
export function tableOf(rows) {
  const ratios = ratioLines(rows);
  return [...ratios, ...(ratios.length > 0 ? [''] : []), ...figureLines(rows)];
}

function ratioLines(rows) {
  const cells = rows.flatMap(({ what, ratios = [] }) =>
    ratios
      .filter((one) => one !== null)
      .map(({ to, median, least, most, goal }) => [
        what.trim(),
        to,
        times(median),
        `${times(least)} to ${times(most)}`,
        goal === undefined ? '' : goal.least === undefined ? `<= ${times(goal.most)}` : `>= ${times(goal.least)}`,
        metText({ goal, value: median }),
      ]),
  );
  return cells.length === 0 ? [] : aligned([RATIO_HEADINGS, ...cells], 2);
}

const times = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(value < 0.1 ? 2 : 3));

function figureLines(rows) {
  const cells = [HEADINGS];
  for (const row of rows) {
    const format = FORMATS[row.unit];
    if (format === undefined) throw new Error(`${row.what}: no such unit: ${row.unit}`);
    const peers = row.value === null ? [] : (row.peers ?? []);
    const measured = row.value === null ? '-' : format(row.value);
    const value = row.ratios === undefined ? row.value : null; // else the table above has it, by rounds
    cells.push([row.what, measured, goalText(row, format), ...peerCells(value, peers[0], format), metText(row)]);
    for (const peer of peers.slice(1)) cells.push(['', '', '', ...peerCells(value, peer, format), '']);
  }
  const notes = rows.filter((row) => row.note !== undefined).map((row) => `  ${row.what}: ${row.note}`);
  return [...aligned(cells, 1, 3), ...notes];
}

/** Columns as wide as their widest cell. @param {string[][]} cells the headings first @param {number} texts columns from the left that hold text @param {number} [text] one more */
function aligned(cells, texts, text = -1) {
  const widths = cells[0].map((_, column) => Math.max(...cells.map((line) => line[column].length)));
  const pad = (cell, column) => (column < texts || column === text ? cell.padEnd(widths[column]) : cell.padStart(widths[column]));
  const lines = cells.map((line) => line.map(pad).join('  ').trimEnd());
  return [lines[0], '-'.repeat(lines[0].length + 2), ...lines.slice(1)];
}

function goalText({ goal }, format) {
  if (goal === undefined) return '';
  return goal.least === undefined ? `<= ${format(goal.most)}` : `>= ${format(goal.least)}`;
}

function peerCells(value, peer, format) {
  if (peer === undefined) return ['', ''];
  const ratio = peer.value === 0 || !value ? '' : `x ${(value / peer.value).toPrecision(2)}`;
  return [`${peer.name} ${format(peer.value)}`, ratio];
}

function metText({ goal, value }) {
  if (goal === undefined || value === null) return '';
  const met = goal.least === undefined ? value <= goal.most : value >= goal.least;
  return met ? 'yes' : 'NO';
}
