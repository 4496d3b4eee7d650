// The system's log: the journal with fields of its own where there is one, else syslog. A recorder writes there, an entry for each alert, for nobody
// is disturbed by it.

import { statSync } from 'node:fs';
import type { Severity } from '../model/alert.ts';
import type { SendDatagram } from './datagram.ts';
import { DELIVERED, type Delivery, failed, type Outcome } from './delivery.ts';
import type { Message } from './message.ts';
import type { AlertFields } from './protocol.ts';

/** Sockets, the best first. */
const SOCKETS = { journal: '/run/systemd/journal/socket', syslog: ['/dev/log', '/var/run/syslog'] } as const;
export type LogSockets = { readonly journal: string; readonly syslog: readonly string[] };
/** Facility daemon, and severities (RFC 5424, tables 1 and 2). */
const DAEMON = 3;
const LEVELS: Readonly<Record<Severity, number>> = { info: 6, warning: 4, critical: 2 };
const PATIENCE_MS = 24 * 3_600_000;
const NAME = 'netmon-tui';

/** journald or syslog. */
export class LogDelivery implements Delivery {
  readonly channel = 'syslog';
  readonly isLog = true;
  readonly patienceMs = PATIENCE_MS;
  readonly #send: SendDatagram;
  readonly #sockets: LogSockets;
  /** Ids of alerts that are in the log, of a message that is not all there yet. */
  readonly #written = new Set<string>();

  constructor(send: SendDatagram, sockets: LogSockets = SOCKETS) {
    this.#send = send;
    this.#sockets = sockets;
  }

  async send({ alerts }: Message): Promise<Outcome> {
    const { journal } = this.#sockets;
    const path = logSocket(this.#sockets);
    if (path === null) return failed('this machine has neither a journal nor a syslog', true);
    for (const alert of alerts) {
      if (this.#written.has(alert.id)) continue;
      const failure = this.#send(path, path === journal ? journalEntry(alert) : syslogEntry(alert, new Date()));
      if (failure !== null) return failed(failure, true);
      this.#written.add(alert.id);
    }
    this.#written.clear();
    return DELIVERED;
  }
}

/** Where this machine's log is: the journal, else syslog; null if it has none. */
export function logSocket({ journal, syslog }: LogSockets = SOCKETS): string | null {
  return [journal, ...syslog].find(isThere) ?? null;
}

/** An entry in the journal's own form (systemd, "Journal Native Protocol"). Texts have no newline, so that `NAME=value` suffices. */
export function journalEntry({ text, severity, kind, id, app, host, details }: AlertFields): Buffer {
  const fields: Record<string, string | number | null> = {
    MESSAGE: text,
    PRIORITY: LEVELS[severity],
    SYSLOG_FACILITY: DAEMON,
    SYSLOG_IDENTIFIER: NAME,
    NETMON_KIND: kind,
    NETMON_ID: id,
    NETMON_APP: app,
    NETMON_HOST: host,
    NETMON_DETAILS: details.length === 0 ? null : details.join('; '),
  };
  const lines = Object.entries(fields).filter(([, value]) => value !== null);
  return Buffer.from(lines.map(([name, value]) => `${name}=${value}\n`).join(''));
}

/** An entry as syslog(3) sends it: `<30>Nov 30 12:00:00 netmon-tui: text`. */
export function syslogEntry({ text, severity }: AlertFields, time: Date): Buffer {
  const month = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'][time.getMonth()];
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
  return Buffer.from(
    `<${DAEMON * 8 + LEVELS[severity]}>${month} ${String(time.getDate()).padStart(2)} ${clock} ${NAME}: ${text}`,
  );
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
