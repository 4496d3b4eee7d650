// Output of a run on the terminal screen.

import type { Snapshot } from '../aggregate/snapshot.ts';
import type { Tui } from '../tui/tui.ts';
import type { Output } from './output.ts';

/** The screen: shows each sample, and at the end of a replay leaves the last one standing. */
export class ScreenOutput implements Output {
  readonly wantsEvents = false;
  readonly #tui: Tui;

  constructor(tui: Tui) {
    this.#tui = tui;
  }

  sample(snapshot: Snapshot): void {
    this.#tui.show(snapshot);
  }

  opened(): void {}

  closed(): void {}

  gap(): void {}

  end(snapshot: Snapshot): Promise<void> {
    this.#tui.show(snapshot);
    return Promise.resolve();
  }
}
