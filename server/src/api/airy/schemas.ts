/** What the answers of this surface look like: airy.md 1.1. They document; what is sent is not filtered by them. */
import Type, { type TSchema } from 'typebox';

const Uuid = Type.String({ format: 'uuid' });
const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Metadata = Type.Record(Type.String(), Type.Unknown());
/** ISO 8601 with milliseconds, UTC. */
const Timestamp = Type.String({ format: 'date-time', examples: ['2020-10-25T21:24:54.560Z'] });
const Millis = Type.Integer({ description: 'Milliseconds since 1970.' });

export const ErrorMessage = Type.Object({ message: Type.String() }, { title: 'AiryError', examples: [{ message: 'channel not found' }] });
export const Nothing = Type.Null({ description: 'No body.' });

export const ChannelAnswer = Type.Object(
  {
    id: Uuid,
    source: Type.String({ examples: ['facebook'] }),
    source_channel_id: Type.String(),
    metadata: Type.Object(
      { name: Type.String(), image_url: Type.Optional(Type.String()) },
      { additionalProperties: true, description: 'Never a token.' },
    ),
    connected: Type.Boolean(),
  },
  { title: 'AiryChannel' },
);

export const MessageAnswer = Type.Object(
  {
    id: Uuid,
    content: Type.Unknown({ description: "The provider's own payload." }),
    sent_at: Timestamp,
    delivery_state: Type.String({ description: '`pending`, `delivered` or `failed`; to a visitor also `sent` and `read`.' }),
    from_contact: Type.Boolean(),
    source: Type.String(),
    metadata: Nullable(Metadata),
    sender: Type.Object({ id: Type.String(), name: Nullable(Type.String()), avatar_url: Nullable(Type.String()) }),
  },
  { title: 'AiryMessage' },
);

export const ConversationAnswer = Type.Object(
  {
    id: Uuid,
    created_at: Timestamp,
    channel: ChannelAnswer,
    metadata: Type.Object(
      {
        contact: Type.Object({
          display_name: Type.String(),
          avatar_url: Type.Optional(Type.String()),
          fetch_state: Type.Optional(Type.String()),
        }),
        tags: Type.Optional(Type.Record(Type.String(), Type.String())),
        unread_count: Type.Integer(),
        state: Type.Optional(Type.String()),
      },
      { additionalProperties: true },
    ),
    last_message: Nullable(MessageAnswer),
  },
  { title: 'AiryConversation' },
);

export const ContactAnswer = Type.Object(
  {
    id: Uuid,
    display_name: Nullable(Type.String()),
    avatar_url: Nullable(Type.String()),
    title: Nullable(Type.String()),
    gender: Nullable(Type.String()),
    timezone: Nullable(Type.Integer()),
    locale: Nullable(Type.String()),
    organization_name: Nullable(Type.String()),
    via: Type.Record(Type.String(), Type.String()),
    address: Type.Record(Type.String(), Nullable(Type.String())),
    conversations: Type.Record(Type.String(), Type.String(), { description: 'Conversation id → source.' }),
    metadata: Metadata,
    created_at: Millis,
    updated_at: Millis,
  },
  { title: 'AiryContact' },
);
export const MergedContactAnswer = Type.Object(
  { ...ContactAnswer.properties, merge_history: Type.Array(ContactAnswer) },
  { title: 'AiryMergedContact' },
);

export const TagAnswer = Type.Object(
  { id: Uuid, name: Type.String(), color: Type.String({ examples: ['tag-red'] }) },
  { title: 'AiryTag' },
);

export const TemplateAnswer = Type.Object(
  { id: Uuid, name: Type.String(), source: Type.String(), content: Type.Unknown() },
  { title: 'AiryTemplate' },
);

export const UserAnswer = Type.Object(
  { id: Type.String(), name: Type.String(), avatar_url: Nullable(Type.String()), first_seen_at: Timestamp, last_seen_at: Timestamp },
  { title: 'AiryUser' },
);

export const WebhookAnswer = Type.Object(
  {
    id: Uuid,
    name: Nullable(Type.String()),
    status: Type.Union([Type.Literal('Subscribed'), Type.Literal('Unsubscribed')]),
    url: Type.String(),
    headers: Type.Record(Type.String(), Type.String()),
    events: Type.Array(Type.String()),
  },
  { title: 'AiryWebhook' },
);

export const SourceAnswer = Type.Object(
  {
    source_id: Type.String(),
    action_endpoint: Nullable(Type.String()),
    name: Nullable(Type.String()),
    image_url: Nullable(Type.String()),
  },
  { title: 'AirySource' },
);
export const NewSourceAnswer = Type.Object({ ...SourceAnswer.properties, token: Type.String({ description: 'Shown this once.' }) });

export const CandidateAnswer = Type.Object(
  { name: Type.String(), image_url: Type.Optional(Type.String()), connected: Type.Boolean() },
  { additionalProperties: true, description: 'With the id under the name that `connect` wants.' },
);

export const ClientConfigAnswer = Type.Object({
  services: Type.Record(Type.String(), Type.Object({ enabled: Type.Boolean(), healthy: Type.Boolean(), component: Type.String() })),
  user_profile: Type.Object({ id: Type.String(), name: Type.String(), avatar_url: Nullable(Type.String()) }),
  tag_config: Type.Object({ colors: Type.Record(Type.String(), Metadata) }),
  cluster_version: Type.String(),
});
export const ComponentsAnswer = Type.Object({ components: Type.Record(Type.String(), Type.Record(Type.String(), Type.String())) });

export const TokenAnswer = Type.Object({
  token: Type.String(),
  messages: Type.Array(MessageAnswer, { description: 'The oldest first.' }),
  cursor: Type.String({ description: 'For `after` of the first subscription at /ws.chatplugin.' }),
});

export const ResumeAnswer = Type.Object({ resume_token: Type.String() });
export const UploadAnswer = Type.Object({ media_url: Type.String() });
export const WidgetAnswer = Type.Object({
  channel: Type.Object({ id: Uuid, name: Type.String(), image_url: Nullable(Type.String()) }),
  config: Metadata,
});

export function listAnswer(item: TSchema) {
  return Type.Object({ data: Type.Array(item) });
}

export function pageAnswer(item: TSchema) {
  return Type.Object({
    data: Type.Array(item),
    pagination_data: Type.Object({
      previous_cursor: Nullable(Type.String()),
      next_cursor: Nullable(Type.String()),
      total: Type.Integer(),
    }),
  });
}
