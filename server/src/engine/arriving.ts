/** A message as a provider tells it, turned into the row that is stored. */
import type { MessageEvent } from '../connectors/events.ts';
import { uuidv7 } from '../model/ids.ts';
import type { UnplacedMessage } from '../store/arriving-sql.ts';
import type { Inbound } from './apply.ts';

/** The row, without its contact and conversation. */
export function arrivingRow({ route, event, receivedAt, rawEventId }: Inbound & { event: MessageEvent }): UnplacedMessage {
  const sentAt = event.sentAt ?? receivedAt;
  const counts = event.direction === 'in' && event.opensWindow !== false && !event.automatic;
  return {
    workspaceId: route.workspaceId,
    id: uuidv7(),
    channelId: route.channelId,
    source: route.source,
    direction: event.direction,
    providerId: event.providerId,
    state: event.direction === 'in' ? 'delivered' : 'sent',
    content: event.content,
    payload: event.payload,
    senderId: null,
    senderName: null,
    replyTo: null,
    metadata: { ...event.facts, ...(event.direction === 'out' ? { echo: true } : {}) },
    sentAt,
    ...(event.fingerprint === undefined ? {} : { fingerprint: event.fingerprint }),
    ...(route.connector.mediaOf && rawEventId ? { rawEventId } : {}),
    unread: event.direction === 'in' && !event.automatic ? 1 : 0,
    inboundAt: counts ? sentAt : null,
    windowEnd: counts && route.window ? new Date(sentAt.getTime() + route.window.hours * 3_600_000) : null,
    subject: event.thread?.subject ?? null,
    eventData: { direction: event.direction, ...(event.automatic ? { automatic: true } : {}) },
  };
}
