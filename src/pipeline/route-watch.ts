// Replaces the source of a capture: on Linux when the default route moves and the user named no interface, on macOS when a PKTAP capture is lost. It
// reads no packets.

import { defaultInterface } from '../capture/devices/devices.ts';
import type { OpenedSource } from '../capture/source.ts';
import type { SwitchSource } from '../capture/switch-source.ts';
import { sanitize } from '../net/text.ts';
import type { Edges } from '../system/edges.ts';
import type { InterfaceChoice } from './interface-choice.ts';

const LOOK_MS = 2000;

/** Finds another capture, when due or when the current one is lost. */
export interface Successor {
  /** @param now monotonic */
  isDue(now: number): boolean;
  /** @returns one line if the capture moved, null if it stayed */
  look(): Promise<string | null>;
}

/** What a route watch works with. */
export interface RouteParts {
  readonly choice: Pick<InterfaceChoice, 'take' | 'isUsers'>;
  /** Names of the interfaces that are captured now. */
  readonly active: () => readonly string[];
  readonly edges: Edges;
}

/** Follows the default route, for example from cable to Wi-Fi or into a VPN, but while the user's own choice is captured. */
export class RouteWatch implements Successor {
  readonly #parts: RouteParts;
  #looking = false;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(parts: RouteParts) {
    this.#parts = parts;
  }

  /** Whether it is time to look. @param now monotonic ms */
  isDue(now: number): boolean {
    if (now < this.#nextAt || this.#looking) return false;
    this.#nextAt = now + LOOK_MS;
    return true;
  }

  /** Moves the capture to the default route's interface. @returns one line if the route moved, null if it stayed or there is none */
  async look(): Promise<string | null> {
    const { choice, active, edges } = this.#parts;
    if (choice.isUsers || this.#looking) return null;
    this.#looking = true;
    try {
      const route = await defaultInterface(edges);
      const before = active();
      if (route === null || before.includes(route)) return null;
      const result = await choice.take([route], 'route');
      const where = sanitize(`${before.join(', ') || 'nothing'} to ${route}`);
      return active().includes(route)
        ? `the default route moved from ${where}`
        : `the default route moved from ${where}; ${result.text}`;
    } finally {
      this.#looking = false;
    }
  }
}

/**
 * Opens another driver if libpcap's PKTAP capture is lost. Without root PKTAP can't be reopened, but the root child may still run tcpdump on the same
 * interfaces with the same filter.
 */
export class PktapSuccessor implements Successor {
  readonly #source: SwitchSource;
  readonly #open: () => Promise<OpenedSource>;

  /** @param open opens the best driver that still works */
  constructor(source: SwitchSource, open: () => Promise<OpenedSource>) {
    this.#source = source;
    this.#open = open;
  }

  isDue(): boolean {
    return false;
  }

  async look(): Promise<string | null> {
    const { state, driver, namesProcesses, note } = this.#source;
    if (state !== 'lost' || driver !== 'libpcap' || !namesProcesses) return null;
    try {
      const opened = await this.#open();
      if (!opened.source.namesProcesses) {
        opened.source.close();
        return null;
      }
      this.#source.take(opened);
      return sanitize(`the capture through ${driver} was lost (${note}); ${opened.source.driver} continues`);
    } catch {
      return null; // the note about the loss says enough
    }
  }
}
