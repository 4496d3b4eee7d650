// Remembers whose child each process is, from the moment it begins: parents that end, and processes that init adopts, keep their line. It is
// told of beginnings, and asks the system only about what is older than that.

import { type Ancestor, MAX_ANCESTORS } from '../../model/terms.ts';

/** Most processes remembered, evicting the one longest unused: 10,000 take less than 20 MiB. */
const MAX_KNOWN = 16_384;
/** Most parents looked up above one process. */
const MAX_DEPTH = 64;
/** Start times of the same process, told by a fork event and by /proc, are at most this far apart. */
const START_TOLERANCE = 1;

/**
 * Programs that only open the door: what they start, a shell, an IDE, a service, is the origin of its line. Init and session managers, SSH
 * servers, terminals and their multiplexers, desktops, schedulers, container shims.
 */
const DOORS =
  /^(?:init|systemd|launchd|runit|s6-svscan|openrc|login|agetty|getty|sshd(?:-session|-auth)?|dropbear|mosh-server|tmux(?:: (?:server|client))?|screen|SCREEN|zellij|gdm-[\w-]+|sddm(?:-helper)?|gnome-session[\w-]*|gnome-shell|plasmashell|kwin_\w+|sway|Hyprland|Xorg|xfce4-[\w-]+|dbus-daemon|dbus-broker(?:-launch)?|gnome-terminal[\w-]*|ptyxis[\w-]*|kgx|konsole|xterm|x?terminator|alacritty|kitty|foot|wezterm[\w-]*|ghostty|tilix|Terminal|iTerm2|iTermServer[\w.-]*|WarpTerminal|cron|crond|atd|anacron|containerd-shim[\w-]*|conmon|runc|crun|docker-init|tini)$/;

/** A living process, as the system tells it. */
export interface Seen {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** In a unit of the system's own; null if unknown. Later processes have a larger one. */
  readonly start: number | null;
  readonly session: number | null;
  readonly terminal: string | null;
}

/** What a process became by exec. */
export interface Became extends Seen {
  /** NUL-terminated arguments; empty if unread. */
  readonly words: string;
}

/** One process: what it is now, and what it had from birth. */
export interface Known {
  readonly start: number | null;
  readonly session: number | null;
  readonly terminal: string | null;
  readonly words: string;
  readonly self: Ancestor;
  readonly ancestors: readonly Ancestor[];
  readonly origin: Ancestor | null;
}

/** Processes by pid, each the newest that has it. */
export class LineageBook {
  readonly #look: (pid: number) => Seen | null;
  readonly #timeOf: (start: number | null) => number | null;
  readonly #most: number;
  /** Least recently used first. */
  readonly #known = new Map<number, Known>();

  /**
   * @param look asks the system about a process; null if it is gone, or may not be seen
   * @param timeOf converts a start time to epoch ms
   * @param most processes; fewer in tests
   */
  constructor(look: (pid: number) => Seen | null, timeOf: (start: number | null) => number | null, most = MAX_KNOWN) {
    this.#look = look;
    this.#timeOf = timeOf;
    this.#most = most;
  }

  get size(): number {
    return this.#known.size;
  }

  /** A process began as a copy of its parent. */
  born(pid: number, parent: number, start: number | null): void {
    const from = this.#find(parent);
    const { session = null, terminal = null, words = '' } = from ?? {};
    this.#put({ pid, parent, name: from?.self.name ?? '', start, session, terminal, words }, from);
  }

  /** A process became another program. Who it descends from stays; its later children descend from what it is now. */
  became(seen: Became): void {
    const old = this.#known.get(seen.pid);
    if (old === undefined || !isSameStart(old.start, seen.start)) {
      this.#put(seen, seen.parent > 0 ? this.#find(seen.parent) : null);
      return;
    }
    // What can't be read is as it was: the process is gone.
    const name = seen.name || old.self.name;
    const start = seen.start ?? old.start;
    const session = seen.session ?? old.session;
    const terminal = seen.session === null ? old.terminal : seen.terminal;
    const self = this.#ancestor(seen.pid, name, start);
    const origin = old.origin === null || old.origin === old.self ? originOf(self) : old.origin;
    this.#set({ start, session, terminal, words: seen.words, self, ancestors: old.ancestors, origin });
  }

  /**
   * What is known of a process; of one that is gone, and whose beginning nobody told, only its line.
   *
   * @param start null if unknown: then the newest with the pid is taken
   * @param parent used if nothing else is known
   */
  of({ pid, start, parent, name }: Pick<Seen, 'pid' | 'start' | 'parent' | 'name'>): Known {
    const old = this.#known.get(pid);
    if (old !== undefined && isSameStart(old.start, start)) return old;
    const seen = this.#look(pid);
    if (seen !== null && isSameStart(seen.start, start)) return this.#adopt(seen, 0);
    // It is gone, and another may have its pid by now: nothing to remember.
    const gone = { pid, parent, name, start, session: null, terminal: null, words: '' };
    return this.#made(gone, parent > 0 ? this.#find(parent) : null);
  }

  #find(pid: number): Known | null {
    const old = this.#known.get(pid);
    if (old !== undefined) {
      this.#set(old);
      return old;
    }
    const seen = pid > 0 ? this.#look(pid) : null;
    return seen === null ? null : this.#adopt(seen, 0);
  }

  /** Takes in a living process and those above it. */
  #adopt(seen: Seen, depth: number): Known {
    return this.#put({ words: '', ...seen }, depth < MAX_DEPTH ? this.#parentOf(seen, depth + 1) : null);
  }

  /** The parent of a living process. One that is younger than its child is another process with that pid. */
  #parentOf({ pid, parent, start }: Seen, depth: number): Known | null {
    if (parent <= 0 || parent === pid) return null;
    const known = this.#known.get(parent);
    if (known !== undefined && isOlder(known.start, start)) return known;
    const seen = this.#look(parent);
    return seen !== null && isOlder(seen.start, start) ? this.#adopt(seen, depth) : null;
  }

  #put(seen: Seen & { readonly words: string }, parent: Known | null): Known {
    const known = this.#made(seen, parent);
    this.#set(known);
    return known;
  }

  #made({ pid, name, start, session, terminal, words }: Seen & { readonly words: string }, parent: Known | null): Known {
    const self = this.#ancestor(pid, name, start);
    const ancestors = parent === null ? [] : [...parent.ancestors.slice(1 - MAX_ANCESTORS), parent.self];
    return { start, session, terminal, words, self, ancestors, origin: parent?.origin ?? originOf(self) };
  }

  #set(known: Known): void {
    const { pid } = known.self;
    this.#known.delete(pid);
    this.#known.set(pid, known);
    if (this.#known.size <= this.#most) return;
    for (const pid of this.#known.keys()) {
      this.#known.delete(pid);
      return;
    }
  }

  #ancestor(pid: number, name: string, start: number | null): Ancestor {
    return { pid, name, startedAt: this.#timeOf(start) };
  }
}

/** A process is the origin of its line unless it only opens the door to others. */
function originOf(self: Ancestor): Ancestor | null {
  return self.pid === 1 || self.name === '' || DOORS.test(self.name) ? null : self;
}

/** The head of a line, from its farthest process on; null if all only open the door to others. */
export function headOf(line: readonly Ancestor[]): Ancestor | null {
  return line.find((each) => originOf(each) !== null) ?? null;
}

function isSameStart(a: number | null, b: number | null): boolean {
  return a === null || b === null || Math.abs(a - b) <= START_TOLERANCE;
}

function isOlder(parent: number | null, child: number | null): boolean {
  return parent === null || child === null || parent <= child + START_TOLERANCE;
}
