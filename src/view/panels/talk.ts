// How a connection is spoken, in words: its handshakes, what was chosen, fingerprints, the first request. It says where something can't be seen.

import type { FlowRow } from '../../model/snapshot.ts';
import type { HttpTalk, TlsTalk } from '../../model/talk.ts';
import { counted } from '../../net/counted.ts';
import { alertName, cipherName, tlsVersionName } from '../../net/tls.ts';
import type { CellContext } from '../tables/column.ts';
import { hidden, shown } from '../tables/masking.ts';
import { formatRtt } from '../text/format.ts';
import type { Fact } from './fact.ts';

const TLS_1_3 = [0x0304, 0xfefc];

/** All that was seen. @param alike other connections with the same fingerprint */
export function talkFacts(row: FlowRow, alike: readonly FlowRow[], context: CellContext): readonly Fact[] {
  const { talk, connectMs } = row;
  return [
    ...(connectMs === null ? [] : [['TCP handshake', formatRtt(connectMs)] as const]),
    ...(talk?.tls === null || talk?.tls === undefined ? [] : tlsFacts(talk.tls, alike, context)),
    ...(talk?.http === null || talk?.http === undefined ? [] : [['HTTP', httpText(talk.http, context)] as const]),
  ];
}

function tlsFacts(tls: TlsTalk, alike: readonly FlowRow[], context: CellContext): readonly Fact[] {
  const { offer, answer, names, namesAreCut, alert } = tls;
  const ja4 = offer?.ja4 ?? null;
  return [
    [offer?.over === 'quic' ? 'QUIC' : 'TLS', versionText(tls)],
    ...timeFacts(tls),
    ...protocolFacts(tls, context),
    ...(offer?.ech === true ? [['ECH', 'offered, or only imitated (GREASE); nobody can see whether it was taken'] as const] : []),
    ...(names === null
      ? []
      : [['certificate', `${names.map((name) => hidden(name, context)).join('  ')}${namesAreCut ? ' ...' : ''}`] as const]),
    ...(alert === null
      ? []
      : [
          [
            'alert',
            `${alertName(alert.code)}, sent by the end that ${alert.fromOpener ? 'opened it' : 'was called'}`,
            'warn',
          ] as const,
        ]),
    ...(ja4 === null ? [] : [['JA4', ja4] as const]),
    ...(ja4 === null || alike.length === 0 ? [] : [['', alikeText(alike, context), 'dim'] as const]),
    ...(answer === null ? [] : [['JA4S', answer.ja4s] as const]),
  ];
}

function versionText({ offer, answer }: TlsTalk): string {
  if (answer === null) return `${tlsVersionName(offer?.version ?? 0)} offered, no answer seen`;
  const parts = [
    tlsVersionName(answer.version),
    cipherName(answer.cipher),
    ...(answer.resumed ? ['resumed session'] : []),
    ...(answer.retried ? ['asked for a second hello'] : []),
  ];
  return parts.join(', ');
}

function timeFacts({ answerMs, handshakeMs }: TlsTalk): readonly Fact[] {
  if (answerMs === null) return [];
  const answered = `server's hello after ${formatRtt(answerMs)}`;
  return [['TLS handshake', handshakeMs === null ? answered : `${formatRtt(handshakeMs)}, ${answered}`]];
}

function protocolFacts({ offer, answer }: TlsTalk, context: CellContext): readonly Fact[] {
  const offered = offer === null ? '' : offer.protocols.map((name) => shown(name, context)).join(', ');
  if (answer !== null && answer.protocol !== null) {
    const chosen = shown(answer.protocol, context);
    return [['ALPN', offered === '' || offered === chosen ? chosen : `${chosen}, of ${offered}`]];
  }
  if (offered === '') return [];
  if (answer === null) return [['ALPN', `offers ${offered}`]];
  const isEncrypted = TLS_1_3.includes(answer.version);
  return [['ALPN', `offers ${offered}; ${isEncrypted ? 'the choice is encrypted' : 'none was chosen'}`]];
}

function httpText({ method, segment, status, answerMs }: HttpTalk, context: CellContext): string {
  const path = segment === null ? '/' : context.paths ? `/${hidden(segment, context)}` : '/...';
  const answered = status === null ? 'no answer seen' : `${status}${answerMs === null ? '' : ` after ${formatRtt(answerMs)}`}`;
  return `${shown(method, context)} ${path}, ${answered}`;
}

/** Apps, the one with most of these connections first. */
function alikeText(alike: readonly FlowRow[], context: CellContext): string {
  const counts = new Map<string, number>();
  for (const { app } of alike) {
    const name = app === null ? 'no owner' : shown(app, context);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const apps = [...counts].toSorted((a, b) => b[1] - a[1]);
  const named = apps.slice(0, APPS_NAMED).map(([name, count]) => `${name} ${count}`);
  const more = apps.length > named.length ? [`${apps.length - named.length} more apps`] : [];
  return `also of ${counted(alike.length, 'other connection')}: ${[...named, ...more].join(', ')}`;
}

const APPS_NAMED = 4;
