// A film of a terminal as one SVG that needs no script: each row's text is written once and shown while it was on the screen. Whoever wants less
// motion sees the first frame.

import type xterm from '@xterm/headless';
import { BASELINE, CELL, escaped, type Ground, MARGIN, Palette, picture, placed, rowsOf } from './svg.ts';

/** Pixels under the screen for the key that was pressed and what it does. */
const CAPTION = 34;

/** A key as its cap shows it, and what it does. */
export interface Caption {
  readonly key: string;
  readonly does: string;
}

/** Collects frames. */
export class Film {
  readonly #ground: Ground;
  readonly #palette = new Palette();
  /** What each row shows, and the caption last, by the time at which it begins, ms. */
  readonly #tracks: { readonly from: number; readonly text: string }[][] = [];
  #size = { cols: 0, rows: 0 };
  #end = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Shows the terminal as it is now for a time. */
  shoot(terminal: InstanceType<typeof xterm.Terminal>, caption: Caption | null, ms: number): void {
    this.#size = { cols: terminal.cols, rows: terminal.rows };
    const rows = [...rowsOf(terminal, this.#ground, this.#palette), caption === null ? '' : this.#captionOf(caption)];
    for (const [y, text] of rows.entries()) {
      this.#tracks[y] ??= [];
      const track = this.#tracks[y] as { from: number; text: string }[];
      if (track.at(-1)?.text !== text) track.push({ from: this.#end, text });
    }
    this.#end += ms;
  }

  /** The film, in a loop. */
  svg(title: string): string {
    const timelines = new Map<string, string>();
    const rows = this.#tracks.map((track, y) => {
      const times = new Map<string, number[][]>();
      for (const [i, { from, text }] of track.entries())
        times.set(text, [...(times.get(text) ?? []), [from, track[i + 1]?.from ?? this.#end]]);
      const shown = [...times].map(([text, spans]) => {
        if (text === '' || times.size === 1) return text;
        const keyframes = this.#keyframes(spans);
        if (!timelines.has(keyframes)) timelines.set(keyframes, `t${timelines.size.toString(36)}`);
        return `<g class="${spans[0]?.[0] === 0 ? 'a' : 'z'} ${timelines.get(keyframes)}">${text}</g>`;
      });
      return placed(y, shown.join(''));
    });
    const named = [...timelines].map(([keyframes, name]) => `.${name}{animation-name:${name}}@keyframes ${name}{${keyframes}}`);
    const css = [
      this.#palette.css(),
      `.a,.z{animation:${this.#end / 1000}s step-end infinite}.z{visibility:hidden}`,
      ...named,
      '@media (prefers-reduced-motion:reduce){.a,.z{animation:none}}',
    ];
    return picture(this.#size, this.#ground, title, css.join(''), rows, CAPTION);
  }

  /** Visible in these spans of time, hidden in between. */
  #keyframes(spans: readonly (readonly number[])[]): string {
    const at = (ms: number) => `${Number(((ms * 100) / this.#end).toFixed(3))}%`;
    const first = spans[0]?.[0] === 0 ? '' : '0%{visibility:hidden}';
    const turns = spans.map(([from = 0, to = 0]) => {
      const off = to === this.#end ? '' : `${at(to)}{visibility:hidden}`;
      return `${at(from)}{visibility:visible}${off}`;
    });
    return first + turns.join('');
  }

  #captionOf({ key, does }: Caption): string {
    const width = key.length * CELL.width + 2 * CELL.width;
    const cap = `<rect x="1" y="2" width="${width}" height="22" rx="4" fill="none" stroke="#8a8a8a"/>`;
    const text = (x: number, words: string, look: string) =>
      `<text x="${x}" y="${BASELINE + 4}" textLength="${words.length * CELL.width}" class="${look}">${escaped(words)}</text>`;
    const keyText = text(1 + CELL.width, key, `${this.#palette.name(0xffd787)} b`);
    return `<g transform="translate(0 ${MARGIN / 2})">${cap}${keyText}${text(width + 2 * CELL.width, does, this.#palette.name(this.#ground.fg))}</g>`;
  }
}
