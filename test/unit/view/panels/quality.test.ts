// What is said of how well hosts answer: below the interfaces, in the details, above everything where it is about everything.

import { describe, expect, test } from 'vitest';
import type { Diagnosis, Figures, Quality } from '../../../../src/model/quality.ts';
import type { Snapshot } from '../../../../src/model/snapshot.ts';
import { pictureOf } from '../../../../src/view/derive.ts';
import { noteOf } from '../../../../src/view/panels/header.ts';
import { qualityFacts, qualityLines } from '../../../../src/view/panels/quality.ts';
import { relatedFacts } from '../../../../src/view/panels/related.ts';
import { initialState, type ViewState } from '../../../../src/view/state.ts';
import type { CellContext } from '../../../../src/view/tables/column.ts';
import { diagnosisText } from '../../../../src/view/text/diagnosis.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain } from '../../../../src/view/text/span.ts';
import { hostRow, interfaceRow, snapshot } from '../../../support/snapshot-builder.ts';

const NOTHING: Figures = {
  roundTrips: null,
  segments: 0,
  sentAgain: 0,
  receivedAgain: 0,
  answered: 0,
  refused: 0,
  unanswered: 0,
  reset: 0,
};
const quality = (some: Partial<Figures>, leastMs: number | null = null, all: Partial<Figures> = some): Quality => ({
  recent: { ...NOTHING, ...some },
  all: { ...NOTHING, ...all },
  leastMs,
});
const timed = (medianMs: number) => ({ roundTrips: { medianMs, highMs: medianMs * 2, lowMs: medianMs, samples: 9 } });
const CONTEXT = { glyphs: UNICODE_GLYPHS, privacy: false } as CellContext;
const HIDING = { ...CONTEXT, privacy: true };
const SLOW: Diagnosis = { kind: 'host is slow', host: 'example.com', ms: 180, leastMs: 175, othersMs: 12 };
const LOSSY: Diagnosis = { kind: 'everything loses', interface: 'en0', share: 0.04, hosts: 5, near: null, link: null };

function text(shown: Partial<Snapshot>, width = 100, context = CONTEXT): string[] {
  return qualityLines(snapshot(shown), context, width).map((line) => plain(line).trimEnd());
}

describe('a diagnosis', () => {
  const say = (found: Diagnosis) => diagnosisText(found, (name) => name);
  const near = { ms: 2, share: 0, isBad: false };
  const link = { signal: -82, share: null, rate: null, isWeak: true };

  test('of a host compares it with others, and with itself where that tells something', () => {
    expect(say(SLOW)).toBe('example.com is slow: 180 ms, others 12 ms');
    expect(say({ ...SLOW, leastMs: 20 })).toBe('example.com is slow: 180 ms, 20 ms at best, others 12 ms');
    expect(say({ kind: 'host loses', host: 'a', share: 0.05, othersShare: 0 })).toBe('a is slow: 5.0 % retransmits, others 0 %');
    expect(say({ kind: 'host refuses', host: 'a', count: 3 })).toBe('a refuses connections: all 3 in the last minute');
    expect(say({ kind: 'host is silent', host: 'a', count: 3 })).toBe("a doesn't answer: 3 connections in the last minute");
    expect(say({ kind: 'host resets', host: 'a', count: 3, of: 4 })).toBe('a resets connections: 3 of 4 in the last minute');
  });

  test('of everything says how near things do', () => {
    expect(say(LOSSY)).toBe('everything is slow: 4.0 % retransmits on en0');
    expect(say({ ...LOSSY, near })).toBe('everything is slow: 4.0 % retransmits on en0; the local network is fine (2.0 ms)');
    expect(say({ ...LOSSY, near: { ms: 80, share: 0.05, isBad: true } })).toBe(
      'everything is slow: 4.0 % retransmits on en0; so is the local network (80 ms, 5.0 % retransmits)',
    );
    expect(say({ ...LOSSY, near, link })).toBe('everything is slow: 4.0 % retransmits on en0; the signal is weak: -82 dBm');
    const slow = { kind: 'everything is slow', interface: 'en0', ms: 2400, hosts: 8, near: null, link: null } as const;
    expect(say({ ...slow, leastMs: 20 })).toBe('everything is slow: 2.4 s on en0, 20 ms at best');
    expect(say({ ...slow, leastMs: null })).toBe('everything is slow: 2.4 s on en0 to 8 hosts');
    expect(say({ kind: 'nothing answers', interface: 'en0', count: 7, near: null, link: null })).toBe(
      'nothing answers on en0: 7 connections in a row',
    );
  });

  test('of names tells the resolver', () => {
    expect(say({ kind: 'names are slow', resolver: '10.0.0.53', ms: 900 })).toBe(
      'names are slow: the resolver 10.0.0.53 takes 900 ms',
    );
    expect(say({ kind: 'names fail', resolver: '10.0.0.53', failed: 1, unanswered: 8, of: 9 })).toBe(
      'names fail: of 9 questions the resolver 10.0.0.53 leaves 8 unanswered and fails at 1',
    );
  });
});

describe('below the interfaces', () => {
  const host = (name: string, figures: Partial<Figures>) => hostRow({ id: name, host: name, quality: quality(figures, 1) });

  test('the diagnosis comes first, then ends, then hosts: failing ones, then slow ones', () => {
    const hosts = [host('quick', timed(5)), host('slow', timed(50)), host('shut', { refused: 2 }), host('quiet', {})];
    const ends = { near: null, far: quality({ ...timed(12), segments: 200, sentAgain: 4, answered: 3 }, 9) };
    const interfaces = [interfaceRow({ id: 'i', interface: 'en0', ends })];
    const [said, head, ...rows] = text({ hosts, interfaces, diagnoses: [SLOW] });
    expect(said).toBe(' example.com is slow: 180 ms, others 12 ms');
    expect(head?.trim()).toBe('median   95 %   best  again answered refused silent reset');
    expect(rows.map((row) => row.trim().split(/\s\s+/))).toEqual([
      ['en0, far', '12ms', '24ms', '9.0ms', '2.0 %', '3', '0', '0', '0'],
      ['shut', '–', '–', '1.0ms', '–', '0', '2', '0', '0'],
      ['slow', '50ms', '100ms', '1.0ms', '–', '0', '0', '0', '0'],
      ['quick', '5.0ms', '10ms', '1.0ms', '–', '0', '0', '0', '0'],
    ]);
  });

  test('narrow panes lose the last columns, and every line fits', () => {
    const hosts = [host('a-very-long-name.that.is.cut.example.com', timed(5))];
    for (const width of [30, 40, 60, 78])
      for (const line of text({ hosts }, width).slice(0)) expect(line.length).toBeLessThanOrEqual(width);
    expect(text({ hosts }, 40)[0]?.trim().split(/\s\s+/)).toEqual(['median', '95 %', 'best']);
  });

  test('nothing is told before anything was measured', () => {
    expect(text({ hosts: [hostRow({ id: 'a' })] })).toEqual([' no TCP connection has told anything yet']);
  });

  test('a radio link is told, names are hidden on demand and cleaned always', () => {
    const link = { signal: -82, share: 0.4, rate: 86.7, isWeak: true };
    const hosts = [host('evil\u001b[31m', timed(5))];
    const shown = { hosts, interfaces: [interfaceRow({ id: 'i', interface: 'wlan0', link })], diagnoses: [SLOW] };
    expect(text(shown)[1]).toBe(' wlan0 signal -82 dBm, quality 40 %, sends at 87 Mbit/s: weak');
    expect(text(shown).join()).not.toContain('\u001b');
    expect(text(shown, 100, HIDING).join()).not.toMatch(/evil|example/);
  });
});

describe('details', () => {
  test('tell the last minute, or the whole run where that says more', () => {
    const busy = { ...timed(180), segments: 200, sentAgain: 8, answered: 4, unanswered: 1 };
    expect(qualityFacts(quality(busy, 175)).map(([name, value]) => `${name}: ${value}`)).toEqual([
      'round trip: 180 ms, 95 % within 360 ms, 175 ms at best (9 in the last minute)',
      'retransmits: 4.0 % of 200 segments in the last minute',
      'answers: 4 connections answered, 1 unanswered in the last minute',
    ]);
    expect(qualityFacts(quality({}, 175, busy))[1]?.[1]).toBe('4.0 % of 200 segments since the start');
    expect(qualityFacts(null)).toEqual([]);
  });

  test('of a host say what is wrong with it, and not what is wrong with others', () => {
    const state = firstStateFor();
    const shown = snapshot({
      hosts: [hostRow({ id: 'a', host: 'example.com' }), hostRow({ id: 'b', host: 'b' })],
      diagnoses: [SLOW],
    });
    const picture = pictureOf(state, shown);
    const talks = (index: number) =>
      relatedFacts('hosts', picture.hosts[index] as never, picture, { ...CONTEXT, average: 10, names: true } as CellContext, 78)
        .talks;
    expect(talks(0)).toContainEqual(['fault', 'example.com is slow: 180 ms, others 12 ms', 'warn']);
    expect(talks(1).map(([name]) => name)).not.toContain('fault');
  });
});

test('the header says what is wrong with everything, and leaves single hosts to their views', () => {
  const state = firstStateFor();
  expect(noteOf(state, snapshot({ diagnoses: [SLOW] }))).toBe('');
  expect(noteOf(state, snapshot({ diagnoses: [LOSSY, SLOW] }))).toBe('everything is slow: 4.0 % retransmits on en0');
  const names: Diagnosis = { kind: 'names are slow', resolver: '10.0.0.53', ms: 900 };
  expect(noteOf({ ...state, privacy: true }, snapshot({ diagnoses: [names] }))).not.toContain('10.0');
});

function firstStateFor(): ViewState {
  return initialState({ columns: 100, rows: 30 });
}
