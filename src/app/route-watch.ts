// Follows the default route in a run whose interface nobody named: Wi-Fi after the cable, a VPN that takes all. It looks every two seconds, and
// when the interface is lost; it stops for good when the user chooses interfaces himself.

import { defaultInterface } from '../capture/devices.ts';
import type { Edges } from '../net/edges.ts';
import { sanitize } from '../net/text.ts';
import type { InterfaceChoice } from './interface-choice.ts';

const LOOK_MS = 2000;

/** What it follows with. */
export interface RouteParts {
  readonly choice: Pick<InterfaceChoice, 'take' | 'isUsers'>;
  /** Names of what is captured now. */
  readonly active: () => readonly string[];
  readonly edges: Edges;
}

/** One run's watch. */
export class RouteWatch {
  readonly #parts: RouteParts;
  #looking = false;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(parts: RouteParts) {
    this.#parts = parts;
  }

  /** True when it is time to look. @param now monotonic */
  isDue(now: number): boolean {
    if (now < this.#nextAt || this.#looking) return false;
    this.#nextAt = now + LOOK_MS;
    return true;
  }

  /** Captures where the default route is now. @returns one line when it moved, null where it did not, or there is none */
  async look(): Promise<string | null> {
    const { choice, active, edges } = this.#parts;
    if (choice.isUsers || this.#looking) return null;
    this.#looking = true;
    try {
      const route = await defaultInterface(edges);
      const before = active();
      if (route === null || before.includes(route)) return null;
      const said = await choice.take([route], 'route');
      const where = sanitize(`${before.join(', ') || 'nothing'} to ${route}`);
      return active().includes(route)
        ? `the default route moved from ${where}`
        : `the default route moved from ${where}; ${said}`;
    } finally {
      this.#looking = false;
    }
  }
}
