import Type, { type Static } from 'typebox';
import { nullable, oneOf, Timestamp, Uuid } from './common.ts';
import { Message } from './message.ts';

export const Conversation = Type.Object(
  {
    id: Uuid,
    name: nullable(Type.String()),
    status: oneOf(['active', 'closed']),
    channelId: Uuid,
    platformId: Type.String(),
    contact: Type.Object({
      id: Uuid,
      computedDisplayName: Type.String(),
      avatarUrl: nullable(Type.String()),
      identifiers: Type.Array(Type.Object({ key: Type.String(), value: Type.String() })),
    }),
    unreadCount: Type.Integer(),
    tags: Type.Array(Type.String()),
    subject: nullable(Type.String()),
    lastMessage: Type.Optional(Message),
    lastMessageAt: nullable(Timestamp),
    serviceWindowExpireAt: nullable(Timestamp),
    isPermanentSession: Type.Boolean(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Conversation' },
);
export type Conversation = Static<typeof Conversation>;

const Tag = Type.String({ minLength: 1, maxLength: 50 });

export const ConversationChange = Type.Object(
  {
    status: Type.Optional(oneOf(['active', 'closed'])),
    name: Type.Optional(nullable(Type.String({ maxLength: 200 }))),
    tags: Type.Optional(
      Type.Object(
        { add: Type.Optional(Type.Array(Tag, { maxItems: 20 })), remove: Type.Optional(Type.Array(Tag, { maxItems: 20 })) },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false, minProperties: 1, examples: [{ status: 'closed' }, { tags: { add: ['vip'] } }] },
);
export type ConversationChange = Static<typeof ConversationChange>;
