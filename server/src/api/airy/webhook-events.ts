/** What subscribers of `webhooks.subscribe` are told: airy.md 5.2. */
import { createHmac } from 'node:crypto';
import type { Engine } from '../../engine/engine.ts';
import type { SpokenEvent, WebhookCall, WebhookSpeaker } from '../../engine/webhooks.ts';
import type { LogEvent } from '../../model/event.ts';
import { frame, messageFrame } from '../live/frames.ts';
import { type Hydrated, hydrate } from '../live/hydrate.ts';
import { Show } from './show.ts';
import { channelView } from './views.ts';

export const AIRY_EVENTS = ['message.created', 'message.updated', 'conversation.updated', 'channel.updated'] as const;
/** Names that Airy takes from subscribers, and never tells anybody of. */
export const UNTOLD_EVENTS = ['tag.updated', 'metadata.item', 'metadata.updated', 'component.updated'] as const;

interface Loaded extends Hydrated {
  shown: Map<string, object>;
}

export function airySpeaker(engine: Engine): WebhookSpeaker {
  const show = new Show(engine);
  return {
    async speak({ workspaceId, events: wanted }, events) {
      const hydrated = await hydrate(engine, show, workspaceId, events, true);
      const conversations = [...hydrated.conversations.values()].map((parts) => parts.conversation);
      const views = await show.conversations(workspaceId, conversations);
      const shown = new Map(
        views.map(({ channel, last_message, ...view }) => [
          view.id,
          { ...view, ...(last_message ? { last_message } : {}), channel_id: channel.id },
        ]),
      );
      const spoken = events.flatMap((event) => bodiesOf(event, { ...hydrated, shown }, show));
      return wanted.length === 0 ? spoken : spoken.filter((item) => wanted.includes(item.event));
    },
    headers: ({ signingKey, body }: WebhookCall) => ({
      'user-agent': 'Airy/1.0',
      ...(signingKey ? { 'x-airy-content-signature': createHmac('sha256', signingKey).update(body).digest('hex') } : {}),
    }),
  };
}

function bodiesOf(event: LogEvent, loaded: Loaded, show: Show): SpokenEvent[] {
  const lane = event.conversationId ?? event.channelId ?? event.workspaceId;
  const at = event.createdAt.getTime();
  const of = (name: (typeof AIRY_EVENTS)[number], body: string, own = lane): SpokenEvent => ({
    seq: event.seq,
    event: name,
    lane: own,
    body,
  });
  const conversation = (id: string | null): SpokenEvent[] => {
    const view = id ? loaded.shown.get(id) : undefined;
    return id && view ? [of('conversation.updated', frame('conversation.updated', at, view), id)] : [];
  };
  const message = event.messageId ? loaded.messages.get(event.messageId) : undefined;
  const updated = () =>
    message
      ? [
          of(
            'message.updated',
            frame('message.updated', at, {
              conversation_id: message.conversationId,
              channel_id: message.channelId,
              message: show.message(message),
            }),
          ),
        ]
      : [];
  switch (event.type) {
    case 'message.created':
      if (!message) return [];
      return [of('message.created', messageFrame(message, show.write)), ...updated(), ...conversation(event.conversationId)];
    case 'message.updated':
      return updated();
    case 'conversation.updated':
      return conversation(event.conversationId);
    case 'contact.updated':
      return (loaded.conversationsOfContact.get(event.contactId ?? '') ?? []).flatMap(conversation);
    case 'channel.created':
    case 'channel.updated':
    case 'channel.deleted': {
      const channel = event.channelId ? loaded.channels.get(event.channelId) : undefined;
      if (!channel) return [];
      const view = { ...channelView(channel), metadata: null };
      const connected = view.connected && event.type !== 'channel.deleted';
      return [of('channel.updated', frame('channel.updated', at, { ...view, connected }))];
    }
    default:
      return [];
  }
}
