// How far engines got, in words, for the screen, for standard error and for the doctor.

import type { Deleted, EngineStatus, ExportStatus, Refused } from '../../model/export.ts';
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
  return `it dropped ${count} of what it took${why === '' ? '' : `: ${why}`}`;
}

/** What an engine will never get. */
export function deletedWords({ minutes, connections }: Deleted): string {
  const parts = [minutes > 0 ? `up to ${minutes} min` : '', connections > 0 ? counted(connections, 'connection') : ''];
  return `history deleted ${parts.filter((part) => part !== '').join(' and ')} before it had them`;
}

/** What an engine has, and what keeps it from having more. @param now epoch ms */
export function engineWords(engine: EngineStatus, now: number): string {
  const { acknowledged, waiting, failure, refused, deleted, next, sent } = engine;
  if (isAsked(engine)) return failure ?? (sent === 0 ? 'not asked yet' : `asked ${counted(sent, 'time')}`);
  const parts = [
    acknowledged === null ? '' : `${deleted === null ? 'has all' : 'has what is left'} up to ${formatMoment(acknowledged, now)}`,
    isBehind(engine) && waiting > 0 ? `${waiting} min behind` : '',
    failure === null ? '' : `${failure}${next === null ? '' : `, next try ${formatMoment(next, now)}`}`,
    sent > 0 ? `${sent} rows sent` : '',
    refused === null ? '' : refusedWords(refused),
    deleted === null ? '' : deletedWords(deleted),
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'nothing sent yet' : parts.join(', ');
}

/** What keeps records from arriving, the same for as long as nothing changes; empty if nothing does. */
export function exportTrouble({ engines, note, isLeft }: ExportStatus): string {
  if (isLeft) return '';
  const failing = engines.flatMap(({ engine, failure, refused, deleted }) => [
    ...(failure === null || note.includes(failure) ? [] : [`${engine}: ${failure}`]),
    ...(refused === null ? [] : [`${engine}: it drops some of what it takes${refused.why === '' ? '' : `: ${refused.why}`}`]),
    ...(deleted === null ? [] : [`${engine}: history deletes what it has not had yet; history.size may be raised`]),
  ]);
  return [note, ...failing].filter((part) => part !== '').join('; ');
}
