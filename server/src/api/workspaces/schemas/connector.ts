import Type from 'typebox';
import { ChannelOptions, STATUSES } from './channel.ts';
import { FreeForm, nullable, oneOf, Timestamp, Uuid } from './common.ts';

/** A platform and the version of its template; without one the first. */
export const TemplateRef = Type.String({ pattern: '^[A-Za-z0-9.-]+(:\\d+)?$', maxLength: 80, examples: ['whatsapp:1'] });

const Name = Type.String({ minLength: 1, maxLength: 200 });

export const Connector = Type.Object(
  {
    id: Uuid,
    workspaceId: Uuid,
    routingKey: Type.String({ description: "The account's id at its source." }),
    name: Type.String(),
    region: nullable(Type.String()),
    description: Type.String(),
    status: oneOf(STATUSES, { description: "Its channel's." }),
    arguments: Type.Record(Type.String(), Type.String(), { description: 'Never the secret ones.' }),
    channel: Type.Object({ channelId: Uuid, platform: Type.String() }),
    connectorTemplateSlug: Type.String(),
    connectorTemplateRef: Type.String(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Connector' },
);

const { useCaseId, channelMessageType } = Type.Partial(ChannelOptions).properties;

export const CreateConnector = Type.Object(
  {
    name: Name,
    connectorTemplateRef: TemplateRef,
    arguments: Type.Optional(Type.Object({ useCaseId, channelMessageType }, { additionalProperties: true })),
    securityArguments: Type.Optional(FreeForm),
    channelConversationalStatusEnabled: Type.Optional(Type.Boolean()),
    invitationToken: Type.Optional(Type.String({ maxLength: 2000 })),
  },
  { additionalProperties: false, examples: [{ name: 'Website', connectorTemplateRef: 'chatplugin:1', arguments: { name: 'website' } }] },
);

export const ChangeConnector = Type.Object(
  { name: Type.Optional(Name), arguments: Type.Optional(FreeForm), securityArguments: Type.Optional(FreeForm) },
  { additionalProperties: false, minProperties: 1, examples: [{ name: 'Website, English' }] },
);
