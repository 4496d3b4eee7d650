// How steady the rows stand: how often the first three change in fifty seconds of ordinary traffic, beside iftop's rule on the same seconds.

import { pathToFileURL } from 'node:url';
import { changesOfFirst } from '../support/ordinary.js';

export const about = "changes of the first three rows in ordinary traffic, beside iftop's order";

/** @param {import('../run.js').Context} context */
export async function run({ root, small }) {
  const load = (path) => import(pathToFileURL(`${root}/dist/${path}.js`).href);
  const rows = [];
  for (let seed = 1; seed <= (small ? 2 : 6); seed++) {
    const { own, ...others } = await changesOfFirst(load, seed);
    const peers = Object.entries(others).map(([name, value]) => ({ name, value }));
    rows.push({ what: `traffic ${seed}`, value: own, unit: 'count', goal: { most: others.iftop }, peers });
  }
  return rows;
}
