// A receipt as one object of JSON, indented: it is kept, compared and read by people, too. schema/receipt.schema.json describes it.

import type { Moved, Receipt, ReceiptProcess } from '../../model/receipt.ts';
import { sanitize } from '../../net/text.ts';
import { SCHEMA, timeField } from '../fields.ts';

/** The text, newline at the end. */
export function receiptJson(receipt: Receipt): string {
  const { untold, policy } = receipt;
  const processes = new Map<ReceiptProcess, number>();
  for (const { process } of receipt.rows) if (!processes.has(process)) processes.set(process, processes.size);
  const document = {
    type: 'receipt',
    schema: SCHEMA,
    command: receipt.command,
    session: receipt.session,
    user: receipt.user,
    status: receipt.status,
    started: timeField(receipt.started),
    ended: timeField(receipt.ended),
    duration_ms: Math.round(receipt.ended - receipt.started),
    membership: receipt.membership,
    membership_note: receipt.membershipNote,
    attribution: receipt.attribution,
    interfaces: receipt.interfaces,
    total: { ...moved(receipt.total), connections: receipt.connections },
    processes_begun: receipt.processesBegun,
    processes_left: receipt.left,
    processes: [...processes.keys()].map(({ pid, name, exe, app, user, ancestors, startedAt, membership }) => ({
      ...{ pid, name, exe, app, user, ancestors },
      started: startedAt === null ? null : timeField(startedAt),
      membership,
    })),
    destinations: receipt.rows.map((row) => ({
      process: processes.get(row.process) ?? null,
      pid: row.process.pid,
      app: row.process.app,
      direction: row.direction,
      protocol: row.protocol,
      host: row.host,
      domain: row.domain,
      name_source: row.nameSource,
      name_reason: row.nameReason,
      address: row.address,
      port: row.port,
      application: row.application,
      asn: row.asn,
      attribution: row.attribution,
      connections: row.connections,
      refused: row.refused,
      unanswered: row.unanswered,
      ...moved(row),
      first_seen: timeField(row.firstSeen),
      last_seen: timeField(row.lastSeen),
    })),
    names: receipt.questions,
    listeners: receipt.listeners,
    untold: {
      connections: untold.connections,
      bytes: untold.bytes,
      lost_packets: untold.lostPackets,
      unread_packets: untold.unreadPackets,
      missed_questions: untold.missedQuestions,
      folded_rows: untold.foldedRows,
      notes: untold.notes,
    },
    policy:
      policy === null
        ? null
        : {
            path: policy.path,
            drift: policy.judgements.filter(({ drift }) => drift).length,
            judgements: policy.judgements.map(({ row, verdict, rule, reason, drift }) => ({
              ...{ app: row.process.app, host: row.host, address: row.address, port: row.port, verdict, drift, rule },
              reason: reason === '' ? null : reason,
            })),
          },
  };
  return `${JSON.stringify(document, (_, value) => (typeof value === 'string' ? sanitize(value) : value), 2)}\n`;
}

function moved({ rxBytes, txBytes, rxPackets, txPackets }: Moved) {
  return { rx_bytes: rxBytes, tx_bytes: txBytes, rx_packets: rxPackets, tx_packets: txPackets };
}
