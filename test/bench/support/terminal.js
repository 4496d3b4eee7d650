// A terminal of a bench's own: openpty(3) through koffi, a program on one end, the time of every byte on the other.

import { spawn } from 'node:child_process';
import { closeSync, read, write } from 'node:fs';
import { loadLibc } from './libc.js';

const READ_BYTES = 65_536;

/**
 * Starts a program on a terminal of its own.
 *
 * @param {string} root
 * @param {readonly string[]} command
 * @param {{columns: number, rows: number, namespace?: string | null}} how
 */
export function startOnTerminal(root, command, { columns, rows, namespace = null }) {
  const { libc } = loadLibc(root);
  const openpty = libc.func('int openpty(_Out_ int*, _Out_ int*, char*, void*, void*)');
  const size = Buffer.alloc(8);
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  const [ours, theirs] = [[0], [0]];
  if (openpty(ours, theirs, null, null, size) !== 0) throw new Error('no terminal to be had');
  const words = namespace === null ? [...command] : ['ip', 'netns', 'exec', namespace, ...command];
  const { NO_COLOR: _, TMUX: __, ...rest } = process.env;
  const env = { ...rest, TERM: 'xterm-256color', COLORTERM: 'truecolor', LANG: 'C.UTF-8' };
  const started = performance.now();
  const child = spawn(words[0], words.slice(1), { stdio: [theirs[0], theirs[0], theirs[0]], env, detached: true });
  closeSync(theirs[0]);
  return new Terminal(ours[0], child, started);
}

/** What a program writes on its terminal, and what is typed there. */
class Terminal {
  /** When the program was started; performance.now(). */
  started;
  child;
  /** Bytes it has written, and when the last came. */
  bytes = 0;
  last = 0;
  exited;
  #fd;
  #tail = '';
  #watchers = new Set();

  constructor(fd, child, started) {
    this.#fd = fd;
    this.child = child;
    this.started = started;
    this.exited = new Promise((resolve) => child.once('close', resolve));
    this.#read(Buffer.alloc(READ_BYTES));
  }

  get pid() {
    return this.child.pid;
  }

  /**
   * Waits for text on the terminal, or for anything where `text` is empty.
   *
   * @returns when it came; null when it did not within `timeoutMs` or the program ended
   */
  awaits(text, timeoutMs) {
    this.#tail = '';
    return new Promise((resolve) => {
      const done = (time) => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
        resolve(time);
      };
      const watch = (time) => {
        if (time === null || this.#tail.includes(text)) done(time);
      };
      const timer = setTimeout(() => done(null), timeoutMs);
      this.#watchers.add(watch);
    });
  }

  /** The text since the last `awaits`. */
  get tail() {
    return this.#tail;
  }

  type(text) {
    write(this.#fd, text, () => {});
  }

  async close() {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  #read(buffer) {
    read(this.#fd, buffer, 0, buffer.length, null, (error, count) => {
      const now = performance.now();
      if (error !== null || count === 0) {
        closeSync(this.#fd); // EIO: nobody holds the other end any more
        for (const watch of [...this.#watchers]) watch(null);
        return;
      }
      this.bytes += count;
      this.last = now;
      this.#tail = (this.#tail + buffer.toString('latin1', 0, count)).slice(-4 * READ_BYTES);
      for (const watch of [...this.#watchers]) watch(now);
      this.#read(buffer);
    });
  }
}
