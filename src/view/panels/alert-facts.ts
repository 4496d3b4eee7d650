// What became of an alert beyond the screen: on which channels it was delivered and when, what still keeps it back, and which mute fits it.

import { type Alert, type AlertDelivery, type Mute, silences } from '../../model/alert.ts';
import type { ChannelStatus, MessengerStatus } from '../../model/delivery.ts';
import type { CaptureStatus } from '../../model/snapshot.ts';
import { HELD_WORDS } from '../tables/alerts.ts';
import type { CellContext } from '../tables/column.ts';
import { hidden, shown } from '../tables/masking.ts';
import { formatMoment } from '../text/format.ts';
import type { Fact } from './fact.ts';
import { lastingText, scopeText } from './pickers.ts';

/** Why alerts go nowhere from here while another run of the user records. */
export const LEFT_WORDS = 'left to the netmon-tui that records: it raises them too';

/** What became of an alert, and what silences those like it now. */
export function outcomeFacts(
  alert: Alert,
  { delivery, mutes }: Pick<CaptureStatus, 'delivery' | 'mutes'>,
  context: CellContext,
): readonly Fact[] {
  const mute = mutes.find((one) => silences(one, alert, context.now));
  const lines = outcomeLines(alert, delivery, context);
  return [
    ...lines.map(([text, role], index): Fact => [index === 0 ? 'delivery' : '', text, role]),
    ...(mute === undefined ? [] : [['muted', muteLine(mute, context)] as const]),
  ];
}

type Outcome = readonly [text: string, role: 'text' | 'warn' | 'dim'];

function outcomeLines(alert: Alert, delivery: MessengerStatus | null, context: CellContext): readonly Outcome[] {
  if (alert.held !== null) return [[HELD_WORDS[alert.held], 'text']];
  if (delivery === null) return [['stays here: [notify] sets no other way', 'dim']];
  const outcomes = delivery.outcomes.get(alert.id) ?? [];
  if (delivery.isLeft && outcomes.length === 0) return [[LEFT_WORDS, 'text']];
  return delivery.channels.map((channel) => {
    const outcome = outcomes.find(({ sink }) => sink === channel.channel);
    return outcome === undefined ? pendingLine(channel, delivery, context) : doneLine(outcome, delivery, context);
  });
}

function doneLine({ sink, time, failure }: AlertDelivery, delivery: MessengerStatus, context: CellContext): Outcome {
  const when = formatMoment(time, context.now);
  const by = wayText(sink, delivery, context);
  return failure === null
    ? [`${when} delivered by ${by}`, 'text']
    : [`${when} given up by ${by}: ${shown(failure, context)}`, 'warn'];
}

function pendingLine(channel: ChannelStatus, delivery: MessengerStatus, context: CellContext): Outcome {
  const by = wayText(channel.channel, delivery, context);
  const at = (what: string) => (channel.next === null ? '' : `, ${what} ${formatMoment(channel.next, context.now)}`);
  if (!delivery.isReady) return [`not by ${by}: ${shown(delivery.note || 'the messenger is still starting', context)}`, 'warn'];
  if (channel.failure !== null && channel.waiting > 0)
    return [`not yet by ${by}: ${shown(channel.failure, context)}${at('next try')}`, 'warn'];
  if (channel.hold === 'quiet') return [`held from ${by} in quiet hours${at('until')}`, 'text'];
  if (channel.hold === 'rate') return [`held from ${by}, because there were too many${at('until')}`, 'text'];
  return [`on its way by ${by}`, 'text'];
}

/** A channel; of the webhook also where to. */
export function wayText(sink: string, { host }: MessengerStatus, context: CellContext): string {
  return sink === 'webhook' && host !== null ? `webhook at ${hidden(host, context)}` : shown(sink, context);
}

/** What a mute silences, and until when. */
function muteLine(mute: Mute, context: CellContext): string {
  return `${scopeText(mute, context)}, ${lastingText(mute, context)}`;
}
