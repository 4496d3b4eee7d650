// Figures of an earlier run, to compare a change with. Ratios hold from machine to machine; the rest is compared on the machine that told it.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** A ratio or figure that moved by less than this share says nothing. */
const NOISE = 0.05;

/** What this machine is: figures of another are not comparable. */
export const machine = () => `${process.platform} ${process.arch}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`;

/**
 * The figures of a run, by bench and what was measured.
 *
 * @typedef {object} Baseline
 * @property {string} machine
 * @property {string} node
 * @property {Record<string, Record<string, {value: number | null, unit: string, ratios?: Record<string, number>}>>} benches
 */

/** @param {ReadonlyMap<string, readonly import('./table.js').Row[]>} benches @returns {Baseline} */
function baselineOf(benches) {
  const figures = (rows) => {
    let above = '';
    return Object.fromEntries(
      rows.map(({ what, value, unit, ratios: all = [] }) => {
        const ratios = all.filter((one) => one !== null);
        if (!what.startsWith(' ')) above = what;
        const ratiosTo = Object.fromEntries(ratios.map(({ to, median }) => [to, rounded(median)]));
        const told = { value: value === null ? null : rounded(value), unit };
        return [nameOf(above, what), ratios.length > 0 ? { ...told, ratios: ratiosTo } : told];
      }),
    );
  };
  return {
    machine: machine(),
    node: process.versions.node,
    benches: Object.fromEntries([...benches].map(([name, rows]) => [name, figures(rows)])),
  };
}

/** Keeps the figures of the benches that ran; those of others stay if they are from this machine. @param {string} path */
export function saveBaseline(path, benches) {
  const now = baselineOf(benches);
  const before = existsSync(path) ? readBaseline(path) : null;
  const kept = before?.machine === now.machine ? before.benches : {};
  const all = Object.entries({ ...kept, ...now.benches }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(path, `${JSON.stringify({ ...now, benches: Object.fromEntries(all) }, null, 2)}\n`);
}

/** @param {string} path @returns {Baseline} */
export function readBaseline(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/**
 * What changed against a baseline, as lines; more is worse but for what is counted a second.
 *
 * @param {Baseline} baseline @param {string} name of the bench @param {readonly import('./table.js').Row[]} rows
 */
export function changesSince(baseline, name, rows) {
  const before = baseline.benches[name];
  if (before === undefined) return ['  the baseline has nothing of this bench'];
  const isSame = baseline.machine === machine();
  const lines = [];
  let above = '';
  for (const { what, value, unit, ratios: all = [] } of rows) {
    const ratios = all.filter((one) => one !== null);
    if (!what.startsWith(' ')) above = what;
    const title = nameOf(above, what);
    const then = before[title];
    if (then === undefined || then.unit !== unit) continue;
    for (const { to, median } of ratios) {
      const old = then.ratios?.[to];
      if (old !== undefined) lines.push(...change(`${title}, to ${to}`, old, median, false));
    }
    if (isSame && ratios.length === 0 && value !== null && then.value !== null)
      lines.push(...change(title, then.value, value, unit.endsWith('/s')));
  }
  if (lines.length > 0) return lines;
  return [
    isSame
      ? '  as the baseline, within 5 %'
      : `  ratios as the baseline, within 5 %; its figures are of another machine (${baseline.machine})`,
  ];
}

function change(what, before, after, isMoreBetter) {
  if (before === 0 ? after === 0 : Math.abs(after / before - 1) < NOISE) return [];
  const verdict = after < before === isMoreBetter ? 'WORSE' : 'better';
  const factor = before === 0 ? '' : ` (x ${(after / before).toFixed(2)})`;
  return [`  ${verdict}: ${what}: ${rounded(before)} -> ${rounded(after)}${factor}`];
}

/** Rows below another say what they are of by their indent. */
const nameOf = (above, what) => (what.startsWith(' ') ? `${above}: ${what.trim()}` : what);
const rounded = (value) => Number(value.toPrecision(4));
