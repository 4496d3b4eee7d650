// The main thread's side of containers: knows those that were met, by what their engines' files say, and why that isn't known of others.

import { LRUCache } from 'lru-cache';
import type { Container } from '../../../../model/terms.ts';
import { sanitize } from '../../../../net/text.ts';
import type { ContainerSource } from '../../directory.ts';
import type { ContainerRef } from '../../process-facts.ts';
import type { Told } from './state-files.ts';
import type { Unread } from './trusted-files.ts';

/** Containers remembered. */
const MOST = 4096;
/** A container without a name is asked about again when a process of it begins this much later, ms; each time twice as much. */
const AGAIN_MS = { least: 2000, most: 120_000 };

/** Answer to a question about a container; `silent` if nobody answers. */
export type ContainerAnswer = Told | Unread | 'silent';

/** Containers of this machine. */
export class Containers implements ContainerSource {
  readonly #read: (ref: ContainerRef) => ContainerAnswer;
  readonly #now: () => number;
  readonly #known = new LRUCache<string, { readonly container: Container; readonly askedAt: number; readonly pauseMs: number }>({
    max: MOST,
  });

  /** @param read reads the engine's files, or has them read @param now monotonic ms */
  constructor(read: (ref: ContainerRef) => ContainerAnswer, now: () => number) {
    this.#read = read;
    this.#now = now;
  }

  of(ref: ContainerRef): Container {
    const key = `${ref.engine} ${ref.owner ?? ''} ${ref.id}`;
    const known = this.#known.get(key);
    const now = this.#now();
    if (known !== undefined && (known.container.unknown === null || now - known.askedAt < known.pauseMs)) return known.container;
    const container = containerOf(ref, ref.engine === 'lxc' ? { ...NOTHING, container: ref.id } : this.#read(ref));
    // The same object for as long as nothing else is known.
    const kept = known !== undefined && container.unknown === known.container.unknown ? known.container : container;
    const pauseMs = known === undefined ? AGAIN_MS.least : Math.min(AGAIN_MS.most, 2 * known.pauseMs);
    this.#known.set(key, { container: kept, askedAt: now, pauseMs });
    return kept;
  }
}

const NOTHING: Told = { container: null, image: null, pod: null, namespace: null, project: null };

function containerOf({ engine, id, owner }: ContainerRef, answer: ContainerAnswer): Container {
  const told = typeof answer === 'string' ? NOTHING : answer;
  const text = (name: string | null) => (name === null ? null : sanitize(name) || null);
  const name = text(told.container);
  return {
    engine,
    id,
    container: name ?? id.slice(0, 12),
    image: text(told.image),
    pod: text(told.pod),
    namespace: text(told.namespace),
    project: text(told.project),
    unknown:
      name !== null ? null : typeof answer === 'string' ? whyNot(engine, owner, answer) : `${engine}'s files don't name it`,
  };
}

/** Why a name isn't known, and what would help. */
function whyNot(engine: string, owner: number | null, why: Unread | 'silent'): string {
  const files = `${engine}'s files${owner === null ? '' : ` of user ${owner}`}`;
  switch (why) {
    case 'missing':
      return `not in ${files}, as far as they are where they usually are`;
    case 'hidden':
      return `${files} can't be read: that needs sudo without --drop-all, or CAP_DAC_READ_SEARCH`;
    case 'refused':
      return `${files} aren't trusted: a link, another owner, a network's file system, or too large`;
    case 'silent':
      return `${files} can't be read any more: the thread that reads them doesn't answer`;
  }
}
