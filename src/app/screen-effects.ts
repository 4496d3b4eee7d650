// Carries out what the screen asks of the run: one handler for each kind of effect. An answer comes back as an action, late or not at all.

import type { EventLog } from '../aggregate/event-log.ts';
import { reasonOf } from '../model/errors.ts';
import type { OutsideEffect, Tui } from '../tui/tui.ts';
import type { Clipboard } from './clipboard.ts';
import type { ExportPlace } from './export.ts';

/** Does what effects of one type ask for; what it rejects with is shown to the user. */
type Handler<Type extends OutsideEffect['type']> = (
  effect: Extract<OutsideEffect, { readonly type: Type }>,
) => void | Promise<void>;

/** A handler for each type of effect. */
export type EffectHandlers = { readonly [Type in OutsideEffect['type']]: Handler<Type> };

/** The one way from an effect to what does it. Never throws. */
export class EffectRunner {
  readonly #handlers: EffectHandlers;
  readonly #notice: (text: string) => void;

  /** @param notice shows the user a line: why an effect failed */
  constructor(handlers: EffectHandlers, notice: (text: string) => void) {
    this.#handlers = handlers;
    this.#notice = notice;
  }

  /** Carries out an effect, or begins to. */
  run(effect: OutsideEffect): void {
    void this.#handle(effect);
  }

  async #handle(effect: OutsideEffect): Promise<void> {
    try {
      await (this.#handlers[effect.type] as (effect: OutsideEffect) => void | Promise<void>)(effect);
    } catch (thrown) {
      this.#notice(reasonOf(thrown));
    }
  }
}

/** Writes exports, one at a time: each holds the text of all its rows. */
export class Exports {
  readonly #place: ExportPlace;
  readonly #events: Pick<EventLog, 'tell'>;
  readonly #notice: (text: string) => void;
  #writing: Promise<void> | null = null;

  /** @param events get a line for each export that was written @param notice shows the user what became of each */
  constructor(place: ExportPlace, events: Pick<EventLog, 'tell'>, notice: (text: string) => void) {
    this.#place = place;
    this.#events = events;
    this.#notice = notice;
  }

  /** Writes one, unless another is being written. */
  write({ format, table }: Extract<OutsideEffect, { readonly type: 'export' }>): void {
    if (this.#writing !== null) {
      this.#notice('not exported: another export is still being written');
      return;
    }
    this.#writing = (async () => {
      const { writeExport } = await import('./export.ts');
      const { done, text } = await writeExport(format, table, this.#place);
      if (done) this.#events.tell('export', text);
      this.#notice(text);
    })()
      .catch((thrown: unknown) => this.#notice(reasonOf(thrown)))
      .finally(() => {
        this.#writing = null;
      });
  }

  /** Resolves when no export is being written; never rejects. */
  async idle(): Promise<void> {
    await this.#writing;
  }
}

/** Copies rows: to the machine's clipboard if it has one that takes them, else the terminal is asked to, and doesn't say whether it did. */
export function copyHandler(clipboard: Clipboard | null, tui: Pick<Tui, 'copyToTerminal' | 'apply'>): Handler<'copy'> {
  return async ({ text }) => {
    const isCopied = clipboard !== null && (await clipboard(text));
    if (!isCopied) tui.copyToTerminal(text);
    tui.apply({ type: 'notice', text: isCopied ? 'row copied' : 'row sent to the terminal' });
  };
}
