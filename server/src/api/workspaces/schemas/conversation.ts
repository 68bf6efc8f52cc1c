import Type, { type Static } from 'typebox';
import { nullable, oneOf, Timestamp, Uuid } from './common.ts';
import { AnswerBody, Message, ReceiverContact } from './message.ts';

export const Participant = Type.Object(
  {
    id: Uuid,
    type: oneOf(['contact']),
    status: oneOf(['active']),
    displayName: Type.String(),
    avatarUrl: nullable(Type.String()),
    contact: Type.Object({
      identifierKey: Type.Optional(Type.String()),
      identifierValue: Type.Optional(Type.String()),
    }),
  },
  { title: 'Participant' },
);

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
    lastMessageIncomingAt: nullable(Timestamp),
    featuredParticipants: Type.Array(Participant),
    activeParticipantCount: Type.Integer(),
    pendingParticipantCount: Type.Integer(),
    serviceWindowExpireAt: nullable(Timestamp),
    isPermanentSession: Type.Boolean(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Conversation' },
);
export type Conversation = Static<typeof Conversation>;

const { id, identifierKey, identifierValue } = ReceiverContact.properties;

export const OpenConversation = Type.Object(
  {
    channelId: Uuid,
    name: Type.Optional(Type.String({ maxLength: 200 })),
    participants: Type.Array(
      Type.Object(
        {
          type: oneOf(['contact', 'user', 'accessKey', 'flow'], { description: 'Whoever is no contact of yours needs no seat.' }),
          id,
          identifierKey,
          identifierValue,
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 5 },
    ),
    initialMessage: Type.Optional(AnswerBody),
  },
  {
    additionalProperties: false,
    examples: [
      {
        channelId: '018f6b1e-7c1a-7d20-9c3b-5a4f1f0e9a11',
        participants: [{ type: 'contact', identifierKey: 'phonenumber', identifierValue: '+491711234567' }],
        initialMessage: { body: { type: 'text', text: { text: 'Your parcel is here.' } } },
      },
    ],
  },
);

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
