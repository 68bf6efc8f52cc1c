/** Live chat on a customer's own web page. The far end is our own widget, so there is no provider to call. */
import Type, { type Static } from 'typebox';
import { type Content, mediaOf } from '../../model/content.ts';
import { defineConnector, defineProvider, type RawEvent } from '../connector.ts';
import type { InboundEvent } from '../events.ts';
import { readChatContent, writeChatContent } from './content.ts';
import { WidgetConfig } from './widget-config.ts';

/** What the widget says, as kept in the raw log: one JSON document an event. */
export type ChatEvent =
  | {
      type: 'message';
      id: string;
      visitor: string;
      conversation: string;
      message: unknown;
      at: string;
      name?: string;
      /** Files among the addresses in the message that are stored here: address → our id. */
      files?: Record<string, string>;
    }
  | { type: 'receipt'; messages: string[]; state: 'delivered' | 'read'; at: string }
  | { type: 'typing'; visitor: string; on: boolean };

const Input = Type.Object({
  name: Type.String({
    title: 'Name',
    description: 'Tells this website from your others; unique.',
    minLength: 1,
    maxLength: 200,
    examples: ['website-identifier-42'],
  }),
  allowed_origins: Type.Optional(
    Type.Array(Type.String({ pattern: '^https?://[^/]+$' }), {
      title: 'Allowed origins',
      description: 'Web pages that may embed the widget, such as https://www.example.com. Empty: any page.',
    }),
  ),
  config: Type.Optional(WidgetConfig),
});

const Settings = Type.Object({
  allowed_origins: Type.Optional(
    Type.Array(Type.String({ pattern: '^https?://[^/]+$' }), {
      title: 'Allowed origins',
      description: 'Web pages that may embed the widget, such as https://www.example.com. Empty: any page.',
      editable: true,
    }),
  ),
  config: Type.Optional(Type.Unsafe<Static<typeof WidgetConfig>>({ ...WidgetConfig, title: 'Look and texts', editable: true })),
});

const MB = 1024 * 1024;
const files = { maxBytes: 64 * MB, types: ['*'], caption: 0 };

export const live = defineConnector({
  source: 'chatplugin',
  title: 'Live chat',
  description: 'A chat bubble on your own web pages, set up with one script tag.',
  category: 'chat',
  callsNobody: true,
  guide: 'channels/live-chat.md',
  look: {
    color: '#1578D4',
    icon: 'M12 3C6.5 3 2 6.6 2 11c0 2.4 1.3 4.5 3.4 6L5 21l4.3-2.2c.9.1 1.8.2 2.7.2 5.5 0 10-3.6 10-8s-4.5-8-10-8z',
  },
  input: Input,
  settings: Settings,
  credentials: Type.Object({}),
  identity: { kind: 'visitor', scoped: false },
  capabilities: {
    text: { max: 20_000 },
    media: { image: files, video: files, audio: files, file: files },
    choices: { max: 13, title: 80, text: 20_000 },
    cards: { max: 10, title: 200, text: 2_000, actions: 4 },
    receipts: { delivered: true, read: true },
    typing: { in: true, out: true },
    startsConversations: false,
    window: null,
    nodes: ['messaging', 'messaging.outgoing', 'messaging.incoming'],
  },
  idempotentSend: true,

  setup: (channel, config) => [
    {
      label: 'Script tag',
      value: `<script async src="${config.publicUrl.replace(/\/+$/, '')}/widget.js" data-channel-id="${channel.id}"></script>`,
      help: 'Put this before </body> on every page that shall show the chat.',
    },
  ],

  async connect(input) {
    return {
      sourceChannelId: input.name,
      name: input.name,
      // Connecting again without them keeps the ones that were set.
      settings: {
        ...(input.allowed_origins ? { allowed_origins: input.allowed_origins } : {}),
        ...(input.config ? { config: input.config } : {}),
      },
      credentials: {},
    };
  },

  parse(event: RawEvent): InboundEvent[] {
    const said = (event.value ?? JSON.parse(event.body.toString('utf8'))) as ChatEvent;
    switch (said.type) {
      case 'message':
        return [
          {
            kind: 'message',
            direction: 'in',
            providerId: said.id,
            contact: { identities: [{ kind: 'visitor', value: said.visitor }], ...(said.name ? { name: said.name } : {}) },
            content: withFiles(readChatContent(said.message), said.files ?? {}),
            payload: said.message,
            thread: { key: '', id: said.conversation },
            sentAt: new Date(said.at),
          },
        ];
      case 'receipt':
        return said.messages.map((id) => ({ kind: 'receipt', ourId: id, state: said.state, at: new Date(said.at) }));
      case 'typing':
        return [{ kind: 'typing', contact: { identities: [{ kind: 'visitor', value: said.visitor }] }, on: said.on }];
      default:
        throw new Error(`the widget says nothing of the type ${JSON.stringify((said as { type?: unknown }).type)}`);
    }
  },

  /** The visitor's widget follows the event log: a message is on its way once it is stored. */
  async send(message) {
    return { providerId: message.id, state: 'sent' };
  },

  readNative(payload): Content | undefined {
    return readChatContent(payload);
  },

  writeNative: writeChatContent,
});

function withFiles(content: Content, files: Record<string, string>): Content {
  for (const ref of mediaOf(content)) {
    const id = ref.url === undefined ? undefined : files[ref.url];
    if (id) ref.id = id;
  }
  return content;
}

export const chatplugin = defineProvider({ name: 'chatplugin', connectors: [live] });
