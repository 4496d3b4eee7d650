// Names of the NETMON_ variables. One that is nearly a name of ours would be passed over in silence: it is told.

import type { Environment } from './config-owner.ts';
import { nearest } from './nearest.ts';
import { quoted } from './quote.ts';
import { SETTING_NAMES, type SettingName } from './settings.ts';

/** Those that are no settings. */
const OTHERS = ['NETMON_CONFIG', 'NETMON_HISTORY', 'NETMON_DEBUG'];
const MOST_TOLD = 5;

/** `NETMON_REVERSE_DNS` of `reverse-dns`. */
export function variableOf(setting: SettingName): string {
  return `NETMON_${setting.toUpperCase().replaceAll('-', '_')}`;
}

/** A line for each variable that was probably meant as one of ours; other programs may have NETMON_ variables of their own. */
export function mistypedVariables(env: Environment): string[] {
  const ours = [...SETTING_NAMES.map(variableOf), ...OTHERS];
  const strange = Object.keys(env).filter((name) => name.startsWith('NETMON_') && !ours.includes(name) && env[name] !== '');
  const meant = strange.flatMap((name) => {
    const near = nearest(name, ours);
    return near === null ? [] : [`the variable ${quoted(name)} sets nothing; did you mean ${near}?`];
  });
  return meant.slice(0, MOST_TOLD);
}
