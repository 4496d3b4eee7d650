// Interfaces chosen while the program runs: which there are, and another capture in place of the one before. Totals go on; what was
// captured before stays in them.

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
  /** Interfaces that count in the total because the user named them. Grows with each choice. */
  readonly named: string[];
  /** Interfaces whose bytes are in the total now. */
  readonly counted: () => readonly string[];
}

/** Chooses interfaces for a run, one choice at a time. */
export class InterfaceChoice {
  readonly #parts: ChoiceParts;
  #busy = false;
  /** True once the user chose: from then on nothing else does. */
  isUsers = false;

  constructor(parts: ChoiceParts) {
    this.#parts = parts;
  }

  /** All interfaces, after the entry for all of them. */
  async list(): Promise<readonly InterfaceItem[]> {
    const devices = await listDevices(this.#parts.edges).catch(() => []);
    const items = devices.map(({ name, kind, up, isDefault, addresses }) => ({
      name,
      about: [kind, ...(up ? [] : ['down']), ...(isDefault ? ['default route'] : []), ...addresses.slice(0, 2)].join(', '),
    }));
    return [{ name: null, about: 'every interface that is up' }, ...items];
  }

  /** Captures on these from now on; none is all. @returns one line on what became of it */
  async take(interfaces: readonly string[], by: 'user' | 'route' = 'user'): Promise<string> {
    if (this.#busy) return 'another choice is still being opened';
    if (by === 'user') this.isUsers = true;
    this.#busy = true;
    const { source, opener, request, edges, named, counted } = this.#parts;
    try {
      if (this.#isCaptured(interfaces)) {
        if (interfaces.length > 0) named.push(...counted(), ...interfaces);
        source.narrow(interfaces);
        return `capturing on ${interfaces.join(', ') || 'all interfaces'}`;
      }
      const all = edges.platform === 'darwin' ? [] : ['any'];
      const opened = await opener.open({ ...request, interfaces: interfaces.length === 0 ? all : interfaces });
      if (opened.source.namesProcesses !== source.namesProcesses) {
        opened.source.close();
        return `${opened.source.driver} would lose the owners: the capture stays as it was`;
      }
      // Who names interfaces counts them, whatever they are; what counted before goes on to.
      if (interfaces.length > 0) named.push(...counted(), ...interfaces);
      source.take(opened);
      return `capturing on ${source.active.join(', ') || 'all interfaces'}`;
    } catch (thrown) {
      return thrown instanceof NetmonError ? `the capture stays as it was: ${thrown.message}` : `not opened: ${reasonOf(thrown)}`;
    } finally {
      this.#busy = false;
    }
  }
  /** PKTAP delivers more interfaces than one: of those it has, nothing is to be opened, for which root would be missing by now. */
  #isCaptured(interfaces: readonly string[]): boolean {
    const { source, request, edges } = this.#parts;
    if (edges.platform !== 'darwin' || !source.namesProcesses) return false;
    return interfaces.every((name) => pktapCovers(request.interfaces, name));
  }
}
