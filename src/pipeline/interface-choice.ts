// Lets the user choose interfaces while the program runs: lists them and replaces the capture. Totals continue and include earlier traffic.

import { defaultInterface, listDevices } from '../capture/devices/devices.ts';
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

/** What became of a choice, and one line for the user about it. */
interface Taken {
  readonly isTaken: boolean;
  readonly text: string;
}

/** Chooses interfaces for a run, one choice at a time. */
export class InterfaceChoice {
  readonly #parts: ChoiceParts;
  #busy = false;
  /** Interfaces of the last request; empty for all. */
  #asked: readonly string[];
  /** True while the user's own choice is captured. Route changes are then ignored. */
  isUsers: boolean;

  constructor(parts: ChoiceParts) {
    this.#parts = parts;
    this.#asked = parts.request.interfaces;
    this.isUsers = !parts.followsRoute;
  }

  /** The entry for all interfaces, on Linux one for the default route, then each of them. */
  async list(): Promise<readonly InterfaceItem[]> {
    const { edges, request } = this.#parts;
    const devices = await listDevices(edges).catch(() => []);
    const isAll = this.#asked.length === 0 || this.#asked.includes('any');
    const isCaptured = (name: string) =>
      isAll ? edges.platform !== 'darwin' || pktapCovers(request.interfaces, name) : this.#asked.includes(name);
    const items = devices.map(({ name, kind, up, isDefault, addresses }) => ({
      name,
      isRoute: false,
      about: [kind, ...(up ? [] : ['down']), ...(isDefault ? ['default route'] : []), ...addresses.slice(0, 2)].join(', '),
      isCaptured: up && isCaptured(name),
    }));
    const now = devices.find(({ isDefault }) => isDefault)?.name;
    const route = {
      name: null,
      isRoute: true,
      about: `${now === undefined ? 'none' : now} now; follows it wherever it goes`,
      isCaptured: !this.isUsers,
    };
    const all = { name: null, isRoute: false, about: 'all that are up, as with -i any', isCaptured: isAll };
    // A Mac captures on all interfaces without moving.
    return [all, ...(edges.platform === 'linux' ? [route] : []), ...items];
  }

  /** Captures on the default route's interface from now on, and follows the route. */
  async follow(): Promise<Taken> {
    const route = await defaultInterface(this.#parts.edges);
    if (route === null) return { isTaken: false, text: 'the capture stays as it was: there is no default route' };
    const isThere = this.#parts.source.active.join() === route;
    const taken = isThere ? { isTaken: true, text: '' } : await this.take([route], 'route');
    if (!taken.isTaken) return taken;
    this.isUsers = false;
    return { isTaken: true, text: `following the default route, ${route} now` };
  }

  /** Captures on these interfaces from now on, or on all if the list is empty. A refused choice changes nothing. */
  async take(interfaces: readonly string[], by: 'user' | 'route' = 'user'): Promise<Taken> {
    if (this.#busy) return { isTaken: false, text: 'still opening the previous choice' };
    this.#busy = true;
    const taken = await this.#open(interfaces);
    this.#busy = false;
    if (taken.isTaken && by === 'user') this.isUsers = true;
    return taken;
  }

  async #open(interfaces: readonly string[]): Promise<Taken> {
    const { source, opener, request, edges, named, counted } = this.#parts;
    try {
      if (this.#isCaptured(interfaces)) {
        if (interfaces.length > 0) named.push(...counted(), ...interfaces);
        source.narrow(interfaces);
        this.#asked = interfaces;
        return { isTaken: true, text: `capturing on ${interfaces.join(', ') || 'all interfaces'}` };
      }
      const all = edges.platform === 'darwin' ? [] : ['any'];
      const opened = await opener.open({ ...request, interfaces: interfaces.length === 0 ? all : interfaces });
      if (opened.source.namesProcesses !== source.namesProcesses) {
        opened.source.close();
        return { isTaken: false, text: `the capture stays as it was: ${opened.source.driver} would lose the owners` };
      }
      // Interfaces that the user named always count, and those that counted before still do.
      if (interfaces.length > 0) named.push(...counted(), ...interfaces);
      source.take(opened);
      this.#asked = interfaces;
      return { isTaken: true, text: `capturing on ${source.active.join(', ') || 'all interfaces'}` };
    } catch (thrown) {
      const text =
        thrown instanceof NetmonError ? `the capture stays as it was: ${thrown.message}` : `can't open it: ${reasonOf(thrown)}`;
      return { isTaken: false, text };
    }
  }

  /** Whether the open PKTAP capture already delivers these interfaces. Opening them would need root, which is gone by now. */
  #isCaptured(interfaces: readonly string[]): boolean {
    const { source, request, edges } = this.#parts;
    if (edges.platform !== 'darwin' || !source.namesProcesses) return false;
    return interfaces.every((name) => pktapCovers(request.interfaces, name));
  }
}
