import Type, { type Static } from 'typebox';
import { nullable, oneOf, Timestamp, Uuid } from './common.ts';

const Filter = Type.Object(
  { key: oneOf(['channelId', 'status', 'direction', 'type', 'platformId']), value: Type.String({ minLength: 1, maxLength: 200 }) },
  { additionalProperties: false },
);
const Filters = Type.Unsafe<Static<typeof Filter>[] | null>({ type: ['array', 'null'], items: Filter, maxItems: 10 });
const Url = Type.String({ minLength: 1, maxLength: 2000, examples: ['https://example.com/webhook'] });
const SigningKey = Type.String({ minLength: 1, maxLength: 500 });

const properties = {
  id: Uuid,
  organizationId: Uuid,
  workspaceId: Uuid,
  service: Type.String(),
  event: Type.String(),
  eventFilters: Filters,
  template: Type.Null(),
  url: Type.String(),
  status: oneOf(['active', 'inactive', 'disabled']),
  statusReason: nullable(Type.String({ description: 'Why Patchbay disabled it.' })),
  createdAt: Timestamp,
  updatedAt: Timestamp,
};

export const WebhookSubscription = Type.Object(properties, { title: 'WebhookSubscription' });
export type WebhookSubscription = Static<typeof WebhookSubscription>;
export const NewWebhookSubscription = Type.Object(
  { ...properties, signingKey: Type.String({ description: 'Shown this once.' }) },
  { title: 'NewWebhookSubscription' },
);

export const CreateWebhook = Type.Object(
  {
    service: oneOf(['channels', 'conversations', 'numbers', 'payments'], { description: 'Of numbers and payments nothing is told.' }),
    event: Type.String({
      maxLength: 100,
      pattern: '^[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$',
      description:
        '`<platform>.inbound`, `<platform>.outbound`, `<platform>.interaction`, `channel.created`; of conversations: `conversation.created`, `conversation.updated`.',
    }),
    url: Url,
    signingKey: Type.Optional(SigningKey),
    eventFilters: Type.Optional(Filters),
    template: Type.Optional(Type.Null({ description: 'Bodies are what the reference says; there are no others.' })),
  },
  { additionalProperties: false, examples: [{ service: 'channels', event: 'whatsapp.inbound', url: 'https://example.com/webhook' }] },
);
export const ChangeWebhook = Type.Object(
  {
    url: Type.Optional(Url),
    signingKey: Type.Optional(SigningKey),
    status: Type.Optional(oneOf(['active', 'inactive'])),
    eventFilters: Type.Optional(Filters),
  },
  { additionalProperties: false },
);

export const EXECUTION_STATUSES = ['pending', 'succeeded', 'failed', 'dead'] as const;
const log = {
  requestId: Uuid,
  event: Type.String(),
  attemptCount: Type.Integer(),
  httpStatusCode: nullable(Type.Integer()),
  error: nullable(Type.String()),
  executionStatus: oneOf(EXECUTION_STATUSES),
  createdAt: Timestamp,
};
export const WebhookLog = Type.Object(log, { title: 'WebhookLog' });
export const WebhookLogDetails = Type.Object(
  {
    ...log,
    url: Type.String(),
    body: Type.String(),
    attempts: Type.Array(Type.Object({ createdAt: Timestamp, httpStatusCode: nullable(Type.Integer()), error: nullable(Type.String()) })),
  },
  { title: 'WebhookLogDetails' },
);
