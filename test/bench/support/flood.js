// A flood between two ends of a bench's own: a holder of sockets that nobody reads, and a sender beside it.

import { fileURLToPath } from 'node:url';
import { joinNamespaces, makeNamespace, removeNamespace } from './namespace.js';
import { start } from './program.js';

const DATAGRAMS = fileURLToPath(new URL('../children/datagrams.js', import.meta.url));
const PORT = 20_000;

/** Where a flood runs: the namespace to watch from, the interface there, and how to send. Close it. */
export class FloodGround {
  #root;
  #namespaces;
  #address;
  #holder;

  /** @param {string} root @param {'loopback' | 'veth'} kind @param {number} flows */
  static async make(root, kind, flows) {
    const namespaces = [makeNamespace()];
    if (kind === 'veth') namespaces.push(makeNamespace());
    const device = kind === 'veth' ? joinNamespaces(namespaces[0], namespaces[1]) : 'lo';
    const address = kind === 'veth' ? '192.0.2.2' : '127.0.0.1';
    const holder = start([process.execPath, DATAGRAMS, root, 'hold', address, `${PORT}`, `${flows}`], {
      namespace: namespaces.at(-1),
    });
    if ((await holder.line()) !== 'ready') throw new Error(`the receiver did not start: ${holder.errors()}`);
    return new FloodGround(root, kind, flows, namespaces, device, address, holder);
  }

  constructor(root, kind, flows, namespaces, device, address, holder) {
    this.#root = root;
    this.kind = kind;
    this.flows = flows;
    this.#namespaces = namespaces;
    this.device = device;
    this.#address = address;
    this.#holder = holder;
  }

  /** The namespace of the sender. */
  get namespace() {
    return this.#namespaces[0];
  }

  /** A sender that waits for `go`. @param {number} packets @param {number} rate packets a second, 0 as fast as it goes */
  async sender(packets, rate) {
    const words = [this.#root, 'send', this.#address, `${PORT}`, `${this.flows}`, `${packets}`, `${rate}`];
    const child = start([process.execPath, DATAGRAMS, ...words], { namespace: this.namespace });
    if ((await child.line()) !== 'ready') throw new Error(`the sender did not start: ${child.errors()}`);
    return {
      /** Sends. @returns {Promise<{sent: number, ms: number}>} */
      go: async () => {
        child.say('\n');
        return JSON.parse((await child.line()) ?? '{}');
      },
      stop: () => child.kill(),
    };
  }

  async close() {
    this.#holder.kill();
    await this.#holder.exited;
    for (const name of this.#namespaces) removeNamespace(name);
  }
}
