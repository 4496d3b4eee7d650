// Lets the user choose interfaces while the program runs: lists them and replaces the capture. Totals continue and include earlier traffic.

import { listDevices } from '../capture/devices/devices.ts';
import type { Opener } from '../capture/opener.ts';
import { pktapCovers } from '../capture/pktap.ts';
import type { CaptureRequest } from '../capture/source.ts';
import type { SwitchSource } from '../capture/switch-source.ts';
import { NetmonError, reasonOf } from '../model/errors.ts';
import type { InterfaceItem } from '../model/terms.ts';
import type { Edges } from '../system/edges.ts';

/** What a choice works with. */
export interface ChoiceParts {
  readonly source: SwitchSource;
  readonly opener: Opener;
  /** What the run was opened with. */
  readonly request: CaptureRequest;
  readonly edges: Edges;
  /** Interfaces that count because the user named them. Grows with each choice. */
  readonly named: string[];
  /** Interfaces that count now. */
  readonly counted: () => readonly string[];
  /** The capture follows the default route until the user chooses. */
  readonly followsRoute: boolean;
}

/** Chooses interfaces for a run, one choice at a time. */
export class InterfaceChoice {
  readonly #parts: ChoiceParts;
  #busy = false;
  /** Interfaces of the last request; empty for all. */
  #asked: readonly string[];
  /** True once the user has chosen. Route changes are then ignored. */
  isUsers = false;

  constructor(parts: ChoiceParts) {
    this.#parts = parts;
    this.#asked = parts.request.interfaces;
  }

  /** The entry for all interfaces, then each of them. */
  async list(): Promise<readonly InterfaceItem[]> {
    const { edges, request, followsRoute } = this.#parts;
    const devices = await listDevices(edges).catch(() => []);
    const isAll = this.#asked.length === 0 || this.#asked.includes('any');
    const isCaptured = (name: string) =>
      isAll ? edges.platform !== 'darwin' || pktapCovers(request.interfaces, name) : this.#asked.includes(name);
    const route = followsRoute && !this.isUsers ? 'default route, followed' : 'default route';
    const items = devices.map(({ name, kind, up, isDefault, addresses }) => ({
      name,
      about: [kind, ...(up ? [] : ['down']), ...(isDefault ? [route] : []), ...addresses.slice(0, 2)].join(', '),
      isCaptured: up && isCaptured(name),
    }));
    return [{ name: null, about: 'all that are up, as with -i any', isCaptured: isAll }, ...items];
  }

  /** Captures on these interfaces from now on, or on all if the list is empty. @returns one line for the user about the result */
  async take(interfaces: readonly string[], by: 'user' | 'route' = 'user'): Promise<string> {
    if (this.#busy) return 'still opening the previous choice';
    if (by === 'user') this.isUsers = true;
    this.#busy = true;
    const { source, opener, request, edges, named, counted } = this.#parts;
    try {
      if (this.#isCaptured(interfaces)) {
        if (interfaces.length > 0) named.push(...counted(), ...interfaces);
        source.narrow(interfaces);
        this.#asked = interfaces;
        return `capturing on ${interfaces.join(', ') || 'all interfaces'}`;
      }
      const all = edges.platform === 'darwin' ? [] : ['any'];
      const opened = await opener.open({ ...request, interfaces: interfaces.length === 0 ? all : interfaces });
      if (opened.source.namesProcesses !== source.namesProcesses) {
        opened.source.close();
        return `the capture stays as it was: ${opened.source.driver} would lose the owners`;
      }
      // Interfaces that the user named always count, and those that counted before still do.
      if (interfaces.length > 0) named.push(...counted(), ...interfaces);
      source.take(opened);
      this.#asked = interfaces;
      return `capturing on ${source.active.join(', ') || 'all interfaces'}`;
    } catch (thrown) {
      return thrown instanceof NetmonError
        ? `the capture stays as it was: ${thrown.message}`
        : `can't open it: ${reasonOf(thrown)}`;
    } finally {
      this.#busy = false;
    }
  }

  /** Whether the open PKTAP capture already delivers these interfaces. Opening them would need root, which is gone by now. */
  #isCaptured(interfaces: readonly string[]): boolean {
    const { source, request, edges } = this.#parts;
    if (edges.platform !== 'darwin' || !source.namesProcesses) return false;
    return interfaces.every((name) => pktapCovers(request.interfaces, name));
  }
}
