// What is wrong, in one sentence each. The sentences name what was measured and never guess at more.

import type { Diagnosis, LinkQuality, NearEnd } from '../../model/quality.ts';
import { counted } from '../../net/counted.ts';
import { formatShare } from './format.ts';

/** A time in a sentence: `0.4 ms`, `12 ms`, `1.5 s`. */
export function msText(ms: number): string {
  if (ms < 0.05) return '<0.1 ms';
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Part of a host's time from which on it is no slower than ever. */
const AS_EVER = 0.7;

/** The diagnosis as a sentence without a full stop. @param name makes an outside name or address presentable */
export function diagnosisText(found: Diagnosis, name: (text: string) => string): string {
  switch (found.kind) {
    case 'nothing answers':
      return `nothing answers on ${name(found.interface)}: ${found.count} connections in a row${around(found)}`;
    case 'everything loses':
      return `everything is slow: ${formatShare(found.share)} retransmits on ${name(found.interface)}${around(found)}`;
    case 'everything is slow': {
      const usual = found.leastMs === null ? ` to ${counted(found.hosts, 'host')}` : `, ${msText(found.leastMs)} at best`;
      return `everything is slow: ${msText(found.ms)} on ${name(found.interface)}${usual}${around(found)}`;
    }
    case 'names are slow':
      return `names are slow: the resolver ${name(found.resolver)} takes ${msText(found.ms)}`;
    case 'names fail': {
      const parts = [
        ...(found.unanswered > 0 ? [`leaves ${found.unanswered} unanswered`] : []),
        ...(found.failed > 0 ? [`fails at ${found.failed}`] : []),
      ];
      return `names fail: of ${counted(found.of, 'question')} the resolver ${name(found.resolver)} ${parts.join(' and ')}`;
    }
    case 'host is slow': {
      const best = found.leastMs < found.ms * AS_EVER ? `, ${msText(found.leastMs)} at best` : '';
      return `${name(found.host)} is slow: ${msText(found.ms)}${best}, others ${msText(found.othersMs)}`;
    }
    case 'host loses':
      return `${name(found.host)} is slow: ${formatShare(found.share)} retransmits, others ${formatShare(found.othersShare)}`;
    case 'host refuses':
      return `${name(found.host)} refuses connections: all ${found.count} in the last minute`;
    case 'host is silent':
      return `${name(found.host)} doesn't answer: ${found.count} connections in the last minute`;
    case 'host resets':
      return `${name(found.host)} resets connections: ${found.count} of ${found.of} in the last minute`;
  }
}

/** How near things do meanwhile: the radio link, and the local network. */
function around({ near, link }: { readonly near: NearEnd | null; readonly link: LinkQuality | null }): string {
  if (link?.isWeak === true) return `; the signal is weak${link.signal === null ? '' : `: ${link.signal} dBm`}`;
  if (near === null) return '';
  const figures = [
    ...(near.ms === null ? [] : [msText(near.ms)]),
    ...(near.share > 0 ? [`${formatShare(near.share)} retransmits`] : []),
  ].join(', ');
  const told = figures === '' ? '' : ` (${figures})`;
  return near.isBad ? `; so is the local network${told}` : `; the local network is fine${told}`;
}

/** Whether a diagnosis is about more than one host. */
export function isWide({ kind }: Diagnosis): boolean {
  return !kind.startsWith('host ');
}

/** The radio link, in a few words. */
export function linkText({ signal, share, rate, isWeak }: LinkQuality): string {
  const parts = [
    ...(signal === null ? [] : [`signal ${signal} dBm`]),
    ...(share === null ? [] : [`quality ${formatShare(share)}`]),
    ...(rate === null ? [] : [`sends at ${rate < 9.95 ? rate.toFixed(1) : Math.round(rate)} Mbit/s`]),
  ];
  return `${parts.join(', ')}${isWeak ? ': weak' : ''}`;
}
