// What the screen asks of the run besides its pictures: interfaces, exports. Answers come back as actions, late or not at all.

import type { EventLog } from '../aggregate/event-log.ts';
import { reasonOf } from '../model/errors.ts';
import type { InterfaceChoice } from '../pipeline/interface-choice.ts';
import type { Action, Effect } from '../view/action.ts';
import type { ExportPlace } from './export.ts';

/** Does them one by one, and says what became of each. */
export class ScreenTasks {
  readonly #place: ExportPlace;
  readonly #tell: (action: Action) => void;
  /** Known once the run is put together; null in a replay. */
  choice: InterfaceChoice | null = null;
  events: EventLog | null = null;
  #exporting: Promise<void> | null = null;

  constructor(place: ExportPlace, tell: (action: Action) => void) {
    this.#place = place;
    this.#tell = tell;
  }

  /** @returns true for an effect that is done here */
  take(effect: Effect): boolean {
    switch (effect.type) {
      case 'list-interfaces':
        this.#run(async () => this.#tell({ type: 'interfaces', items: (await this.choice?.list()) ?? [] }));
        return true;
      case 'capture-on':
        this.#run(async () => this.#notice((await this.choice?.take(effect.interfaces)) ?? 'the capture is not open yet'));
        return true;
      case 'export':
        this.#export(effect);
        return true;
      default:
        return false;
    }
  }

  /** Resolves when no export is being written; never rejects. */
  async idle(): Promise<void> {
    await this.#exporting;
  }

  /** One at a time: each holds the text of all its rows. */
  #export({ format, table }: Extract<Effect, { type: 'export' }>): void {
    if (this.#exporting !== null) {
      this.#notice('not exported: another export is still being written');
      return;
    }
    this.#exporting = (async () => {
      const { writeExport } = await import('./export.ts');
      const { done, text } = await writeExport(format, table, this.#place);
      if (done) this.events?.tell('export', text);
      this.#notice(text);
    })()
      .catch((thrown: unknown) => this.#notice(reasonOf(thrown)))
      .finally(() => {
        this.#exporting = null;
      });
  }

  #run(task: () => Promise<void>): void {
    task().catch((thrown: unknown) => this.#notice(reasonOf(thrown)));
  }

  #notice(text: string): void {
    this.#tell({ type: 'notice', text });
  }
}
