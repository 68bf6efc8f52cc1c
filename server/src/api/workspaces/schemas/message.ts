import Type, { type Static } from 'typebox';
import { MessageBody, Template } from './body.ts';
import { FreeForm, nullable, oneOf, Timestamp, Uuid } from './common.ts';

export const MESSAGE_STATUSES = [
  'accepted',
  'rejected',
  'processing',
  'scheduled',
  'sent',
  'sending_failed',
  'delivered',
  'delivery_failed',
  'deleted',
  'skipped',
] as const;

const PartyContact = Type.Object({
  id: Uuid,
  identifierKey: Type.Optional(Type.String()),
  identifierValue: Type.Optional(Type.String()),
  annotations: Type.Optional(Type.Object({ name: Type.String() })),
});
const PartyConnector = Type.Object({
  id: Uuid,
  identifierValue: Type.String(),
  annotations: Type.Optional(Type.Object({ name: Type.String() })),
});

export const Message = Type.Object(
  {
    id: Uuid,
    channelId: Uuid,
    conversationId: Uuid,
    direction: oneOf(['incoming', 'outgoing']),
    sender: Type.Object({
      contact: Type.Optional(PartyContact),
      connector: Type.Optional(PartyConnector),
      displayName: nullable(Type.String()),
    }),
    receiver: Type.Object({
      contacts: Type.Optional(Type.Array(PartyContact)),
      connectors: Type.Optional(Type.Array(PartyConnector)),
    }),
    parts: Type.Array(Type.Object({ platformReference: Type.String() })),
    reference: Type.Optional(Type.String()),
    replyTo: Type.Optional(Type.Object({ id: Uuid, type: Type.String() })),
    body: Type.Optional(Type.Object({ ...MessageBody.properties })),
    template: Type.Optional(Template),
    status: oneOf(MESSAGE_STATUSES),
    reason: Type.Optional(Type.String()),
    details: Type.Optional(Type.String()),
    failure: Type.Optional(
      Type.Object({
        code: Type.Integer(),
        description: Type.String(),
        source: Type.Object({ code: Type.String(), name: Type.String() }),
      }),
    ),
    tags: Type.Optional(Type.Array(Type.String())),
    meta: Type.Optional(FreeForm),
    scheduledFor: Type.Optional(Timestamp),
    lastStatusAt: Timestamp,
    createdAt: Timestamp,
    updatedAt: Timestamp,
    state: oneOf(['scheduled', 'pending', 'unknown', 'sent', 'failed', 'delivered', 'read']),
    error: nullable(
      Type.Object({
        class: Type.String(),
        message: Type.String(),
        hint: Type.Optional(Type.String()),
        providerCode: Type.Optional(Type.String()),
        providerMessage: Type.Optional(Type.String()),
      }),
    ),
    content: Type.Record(Type.String(), Type.Unknown(), {
      description:
        "Patchbay's own content; files carry a signed `url`. `facts` of a mail: `auth` (SPF, DKIM, DMARC), `automatic` and why, `forwardedBy`, `calendar`, `problem`, `threadedBy`, `rejected`.",
    }),
    reaction: nullable(Type.Object({ emoji: Type.String() })),
    ownReaction: nullable(Type.Object({ emoji: Type.String() })),
    attempts: Type.Optional(
      Type.Array(
        Type.Object({
          channelId: Uuid,
          source: Type.String(),
          state: Type.String(),
          at: Timestamp,
          platformReference: Type.Optional(Type.String()),
          revoked: Type.Optional(Type.Boolean({ description: 'Taken back there before it went the next way.' })),
          error: Type.Optional(Type.Object({ class: Type.String(), message: Type.String(), providerCode: Type.Optional(Type.String()) })),
        }),
        { description: 'The ways that it went before the present one (`fallback`), and what became of each.' },
      ),
    ),
  },
  { title: 'Message' },
);
export type Message = Static<typeof Message>;

export const ReceiverContact = Type.Object(
  {
    id: Type.Optional(Uuid),
    identifierKey: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength: 64, examples: ['phonenumber', 'emailaddress'] })),
    identifierValue: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
    type: Type.Optional(oneOf(['to', 'cc', 'bcc'])),
    identifiers: Type.Optional(Type.Array(FreeForm, { maxItems: 20 })),
    platformAddress: Type.Optional(Type.String({ maxLength: 500 })),
    platformAddressSelector: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { additionalProperties: false },
);
export type ReceiverContact = Static<typeof ReceiverContact>;

const Seconds = Type.Integer({ minimum: 1, maximum: 604_800 });

const Fallback = Type.Object(
  {
    channelId: Uuid,
    receiver: Type.Optional(ReceiverContact),
    timeoutSeconds: Type.Optional(Seconds),
  },
  { additionalProperties: false },
);

const ReplyTo = Type.Object(
  {
    id: Uuid,
    order: Type.Optional(Type.Integer({ minimum: 0 })),
    type: Type.Optional(oneOf(['message', 'click', 'referrals'])),
  },
  { additionalProperties: false },
);

/** What every way of sending takes. */
export const sendProperties = {
  body: Type.Optional(MessageBody),
  template: Type.Optional(Template),
  replyTo: Type.Optional(ReplyTo),
  reference: Type.Optional(Type.String({ maxLength: 1000 })),
  tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 50 }), { maxItems: 10 })),
  scheduledFor: Type.Optional(
    Type.String({ format: 'date-time', description: 'At most 35 days ahead; past, or within ten minutes: now.' }),
  ),
  degrade: Type.Optional(
    oneOf(['reject', 'degrade'], { description: 'What happens to content that the channel cannot carry: refused, or made simpler.' }),
  ),
  meta: Type.Optional(FreeForm),
  validity: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 604_800, description: 'Seconds; what could not be handed over by then has failed as `expired`.' }),
  ),
  timeoutSeconds: Type.Optional({
    ...Seconds,
    description: 'How long it may take to be delivered before it goes the first way of `fallback`; without it only a failure moves it on.',
  }),
  fallback: Type.Optional(
    Type.Array(Fallback, {
      maxItems: 5,
      description: 'Other channels, in order, for the same message; `receiver` where the same contact is not meant.',
    }),
  ),
};

export const SendBody = Type.Object(
  {
    receiver: Type.Object({ contacts: Type.Array(ReceiverContact, { minItems: 1, maxItems: 50 }) }, { additionalProperties: false }),
    ...sendProperties,
    sender: Type.Optional(
      Type.Object(
        {
          connector: Type.Optional(
            Type.Object(
              {
                identifierValue: Type.Optional(Type.String({ maxLength: 500 })),
                annotations: Type.Optional(
                  Type.Object({ name: Type.Optional(Type.String({ maxLength: 200 })) }, { additionalProperties: false }),
                ),
              },
              { additionalProperties: false },
            ),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    notification: Type.Optional(
      Type.Object({ url: Type.String({ maxLength: 2000, pattern: '^https?://' }) }, { additionalProperties: false }),
    ),
    capFrequency: Type.Optional(Type.Boolean()),
    enableLinkTracking: Type.Optional(Type.Boolean()),
    ignoreQuietHours: Type.Optional(Type.Boolean()),
    ignoreGlobalHoldout: Type.Optional(Type.Boolean()),
    shortLinks: Type.Optional(Type.Object({ domain: Type.Optional(Type.String({ maxLength: 253 })) }, { additionalProperties: false })),
  },
  {
    additionalProperties: false,
    examples: [
      {
        receiver: { contacts: [{ identifierKey: 'phonenumber', identifierValue: '+491711234567' }] },
        body: { type: 'text', text: { text: 'Hello' } },
      },
    ],
  },
);
export type SendBody = Static<typeof SendBody>;

export const AnswerBody = Type.Object(sendProperties, {
  additionalProperties: false,
  examples: [{ body: { type: 'text', text: { text: 'We are on it.' } } }],
});
export type AnswerBody = Static<typeof AnswerBody>;

export const INTERACTION_TYPES = [
  'clicked',
  'delete-request',
  'invalid',
  'opened',
  'read',
  'reported-as-spam',
  'unsubscribe-request',
  'reaction',
  'conversion',
  'subscribe-request',
  'subscribe-consent',
] as const;

export const Interaction = Type.Object(
  {
    id: Uuid,
    messageId: Uuid,
    channelId: Uuid,
    platformId: Type.String(),
    type: oneOf(INTERACTION_TYPES),
    messageReference: Type.String(),
    messagePartsCount: Type.Integer(),
    messageTags: Type.Array(Type.String()),
    receiver: Type.Object({ contacts: Type.Array(PartyContact) }),
    createdAt: Timestamp,
    details: Type.Optional(Type.String()),
    metadata: FreeForm,
  },
  { title: 'Interaction' },
);
export type Interaction = Static<typeof Interaction>;

const previewProperties = {
  channelId: Uuid,
  conversationId: nullable(Type.String({ format: 'uuid', description: 'null: a new one would be opened.' })),
  sendable: Type.Boolean(),
  content: Type.Record(Type.String(), Type.Unknown(), { description: 'As it would go out.' }),
  changes: Type.Array(Type.String(), { description: 'What would be made simpler on the way.' }),
  problems: Type.Array(
    Type.Object({
      code: Type.String(),
      message: Type.String(),
      details: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
    }),
    { description: 'Why it cannot be sent; the first is what a send answers.' },
  ),
  estimate: nullable(
    Type.Object({
      parts: Type.Integer(),
      encoding: Type.String(),
      units: Type.Integer(),
      remaining: Type.Integer(),
      notes: Type.Array(Type.String()),
    }),
  ),
  window: nullable(
    Type.Object(
      { open: Type.Boolean(), expiresAt: nullable(Timestamp), tag: Type.Optional(Type.String()) },
      { description: 'null: one may write at any time.' },
    ),
  ),
  templates: Type.Array(Type.Object({ name: Type.String(), language: Type.String() }), {
    description: 'Those that may be sent while the window is closed.',
  }),
};

/** What a send would do. */
export const Preview = Type.Object(
  {
    ...previewProperties,
    fallback: Type.Array(Type.Object(previewProperties), { description: 'The same for each of the other ways.' }),
  },
  { title: 'Preview' },
);
export type Preview = Static<typeof Preview>;
