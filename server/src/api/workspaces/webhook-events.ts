/** What subscribers of `/webhook-subscriptions` are told: `{service, event, payload}`. */
import type { Engine } from '../../engine/engine.ts';
import type { SpokenEvent, WebhookSpeaker } from '../../engine/webhooks.ts';
import type { LogEvent } from '../../model/event.ts';
import type { Message } from '../../model/message.ts';
import { getChannels } from '../../store/channels.ts';
import { getConversations } from '../../store/conversations.ts';
import { getMessages } from '../../store/messages.ts';
import { listSubscriptions, type SubscriptionRow } from '../../store/webhooks.ts';
import { showDetails } from './channel-view.ts';
import { showConversations } from './conversation-view.ts';
import { interactionsOf } from './interactions.ts';
import { showMessages } from './message-view.ts';
import { platformOf } from './platforms.ts';
import { workspaceHeaders } from './webhook-signature.ts';

interface Told {
  source: LogEvent;
  service: string;
  event: string;
  payload: object;
}

export function workspaceSpeaker(engine: Engine): WebhookSpeaker {
  return {
    async speak(subscription, events) {
      const { workspaceId } = subscription;
      const [told, siblings] = await Promise.all([
        subscription.service === 'conversations' ? conversationsOf(engine, workspaceId, events) : channelsOf(engine, workspaceId, events),
        subscription.filters.length === 0 ? listSubscriptions(engine.database, workspaceId, 'workspaces') : [],
      ]);
      const specific = siblings.filter(
        (other) => other.filters.length > 0 && other.status === 'active' && other.sandbox === subscription.sandbox,
      );
      return told.filter((item) => wants(subscription, item) && !specific.some((other) => wants(other, item))).map(spoken);
    },
    headers: workspaceHeaders,
  };
}

/** All filters must hold; one without filters hears what no other one asks for by a filter. */
function wants({ service, events, filters }: SubscriptionRow, told: Told): boolean {
  if (service !== told.service || !events.includes(told.event)) return false;
  const payload = told.payload as Record<string, unknown>;
  return filters.every(({ key, value }) => (key === 'channelId' ? told.source.channelId === value.toLowerCase() : payload[key] === value));
}

function spoken({ source, service, event, payload }: Told): SpokenEvent {
  return {
    seq: source.seq,
    event,
    lane: source.conversationId ?? source.channelId ?? source.workspaceId,
    body: JSON.stringify({ service, event, payload }),
  };
}

async function channelsOf(engine: Engine, workspaceId: string, events: LogEvent[]): Promise<Told[]> {
  const about = events.filter((event) => event.messageId && event.type.startsWith('message.'));
  const created = events.filter((event) => event.type === 'channel.created' && event.channelId);
  const [messages, channels] = await Promise.all([
    getMessages(engine.database, workspaceId, [...new Set(about.map((event) => event.messageId!))]),
    getChannels(engine.database, workspaceId, [...new Set(created.map((event) => event.channelId!))]),
  ]);
  const messageById = new Map(messages.map((row) => [row.id, row]));
  const channelById = new Map(channels.map((row) => [row.id, row]));
  // The state that the event tells, not the one that the message has reached since.
  const rows = about.flatMap((event) => {
    const row = messageById.get(event.messageId!);
    return row ? [{ event, row: { ...row, state: (event.data.state as Message['state'] | undefined) ?? row.state } }] : [];
  });
  const shown = await showMessages(
    engine,
    workspaceId,
    rows.map(({ row }) => row),
  );
  const toldOfMessages = new Map(rows.map(({ event, row }, n) => [event, tell(event, row, shown[n]!)]));
  return events.flatMap((event) => {
    const channel = event.type === 'channel.created' ? channelById.get(event.channelId ?? '') : undefined;
    if (channel) return [{ source: event, service: 'channels', event: 'channel.created', payload: showDetails(engine, channel) }];
    return toldOfMessages.get(event) ?? [];
  });
}

function tell(source: LogEvent, row: Message, payload: Parameters<typeof interactionsOf>[1]): Told[] {
  const platform = platformOf(row.source);
  const one = (kind: string, body: object): Told => ({ source, service: 'channels', event: `${platform}.${kind}`, payload: body });
  if (source.type === 'message.created') return [one(row.direction === 'in' ? 'inbound' : 'outbound', payload)];
  const { state, reaction } = source.data;
  const interactions = interactionsOf(row, payload);
  const of = (type: string) => interactions.filter((item) => item.type === type).map((item) => one('interaction', item));
  if (reaction !== undefined) return of('reaction');
  if (state === undefined || row.direction === 'in') return [];
  return state === 'read' ? of('read') : [one('outbound', payload)];
}

async function conversationsOf(engine: Engine, workspaceId: string, events: LogEvent[]): Promise<Told[]> {
  const about = events.filter((event) => event.conversationId && event.type.startsWith('conversation.'));
  const rows = await getConversations(engine.database, workspaceId, [...new Set(about.map((event) => event.conversationId!))]);
  const shown = new Map((await showConversations(engine, workspaceId, rows)).map((item) => [item.id, item]));
  return about.flatMap((event) => {
    const payload = shown.get(event.conversationId!);
    return payload ? [{ source: event, service: 'conversations', event: event.type, payload }] : [];
  });
}
