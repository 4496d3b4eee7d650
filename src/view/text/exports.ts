// How far engines got, in words, for the screen, for standard error and for the doctor.

import type { EngineStatus, ExportStatus, Refused } from '../../model/export.ts';
import { counted } from '../../net/counted.ts';
import { formatMoment } from './format.ts';

/** Minutes that may wait without a word: settling and sending take a moment. */
const UNSAID = 3;

/** Whether an engine comes and asks, on this machine: nothing is sent to it. */
export function isAsked({ engine }: EngineStatus): boolean {
  return engine === 'prometheus';
}

/** Whether an engine lacks more than what is on its way. */
export function isBehind({ waiting, failure }: EngineStatus): boolean {
  return failure !== null || waiting > UNSAID;
}

/** What an engine refused for good. */
export function refusedWords({ count, why }: Refused): string {
  return `it refused ${counted(count, 'record')} for good${why === '' ? '' : `: ${why}`}`;
}

/** What an engine has, and what keeps it from having more. @param now epoch ms */
export function engineWords(engine: EngineStatus, now: number): string {
  const { acknowledged, waiting, failure, refused, next, sent } = engine;
  if (isAsked(engine)) return failure ?? (sent === 0 ? 'not asked yet' : `asked ${counted(sent, 'time')}`);
  const parts = [
    acknowledged === null ? '' : `has all up to ${formatMoment(acknowledged, now)}`,
    isBehind(engine) && waiting > 0 ? `${waiting} min behind` : '',
    failure === null ? '' : `${failure}${next === null ? '' : `, next try ${formatMoment(next, now)}`}`,
    sent > 0 ? `${sent} rows sent` : '',
    refused === null ? '' : refusedWords(refused),
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'nothing sent yet' : parts.join(', ');
}

/** What keeps records from arriving, the same for as long as nothing changes; empty if nothing does. */
export function exportTrouble({ engines, note, isLeft }: ExportStatus): string {
  if (isLeft) return '';
  const failing = engines.flatMap(({ engine, failure, refused }) => [
    ...(failure === null ? [] : [`${engine}: ${failure}`]),
    ...(refused === null ? [] : [`${engine}: it refuses records for good${refused.why === '' ? '' : `: ${refused.why}`}`]),
  ]);
  return [note, ...failing].filter((part) => part !== '').join('; ');
}
