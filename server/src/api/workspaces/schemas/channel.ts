import Type, { type Static, type TProperties } from 'typebox';
import { FreeForm, nullable, oneOf, Timestamp, Uuid } from './common.ts';

export const STATUSES = ['active', 'pending', 'setting-up', 'failed', 'inactive', 'deleted', 'warning'] as const;
export const USE_CASE_TYPES = ['transactional', 'marketing', 'conversation'] as const;

const nodeProperties = {
  displayName: Type.String(),
  status: Type.String({ examples: ['enabled'] }),
  name: Type.String(),
  version: Type.Integer(),
  updatedAt: Timestamp,
  createdAt: Timestamp,
  expiresAt: nullable(Timestamp),
};
const node = <P extends TProperties>(children: P) => Type.Object({ ...nodeProperties, ...children });
const Leaf = Type.Object({ ...nodeProperties, paused: Type.Boolean() });

/** Two namespaces; each holds a root node of its own name. `media` is a bare container; only leaves can be paused. */
export const CapabilityTree = Type.Object({
  messaging: Type.Optional(
    Type.Object({
      messaging: node({
        outgoing: Type.Optional(
          node({
            mms: Type.Optional(Leaf),
            media: Type.Optional(Type.Object({ textFallback: Type.Optional(Leaf) })),
          }),
        ),
        incoming: Type.Optional(node({ mms: Type.Optional(Leaf) })),
      }),
    }),
  ),
  voice: Type.Optional(Type.Object({ voice: node({ recording: Type.Optional(Leaf) }) })),
});
export type CapabilityTree = Static<typeof CapabilityTree>;

export const SettingRow = Type.Object({
  key: Type.String(),
  value: Type.String(),
  displayName: Type.String(),
  description: Type.String(),
  visibility: Type.String({ examples: ['public'] }),
});
export type SettingRow = Static<typeof SettingRow>;

const optionProperties = {
  contactIdentifierKeyOverride: nullable(Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength: 64 })),
  contactIdentifierFormatOverride: nullable(Type.Object({ type: Type.String(), pattern: Type.Optional(Type.String()) })),
  platformServiceUrlOverride: nullable(Type.String({ pattern: '^https://', maxLength: 2000 })),
  platformServiceVersionOverride: nullable(oneOf(['1.0'])),
  platformServiceProtocolOverride: nullable(oneOf(['http', 'https'])),
  platformMessageJsonSchemaOverride: nullable(FreeForm),
  platformTemplateEngineOverride: nullable(oneOf(['default', 'liquid'])),
  preferences: nullable(
    Type.Object({
      disableProfileFetching: Type.Optional(Type.Boolean()),
      explicitMarketingOptOut: Type.Optional(Type.Boolean()),
      ignoreSuppressionChecks: Type.Optional(Type.Boolean()),
      isPrivate: Type.Optional(Type.Boolean()),
    }),
  ),
  useCaseId: nullable(Type.String({ maxLength: 200 })),
  useCaseType: nullable(oneOf(USE_CASE_TYPES)),
  channelMessageType: oneOf(['promotional', '2fa', 'conversational', 'transactional', 'emergency']),
  suites: Type.Array(Type.String({ minLength: 1, maxLength: 60 }), { maxItems: 20 }),
};

/** What the document lets users set on a channel beyond its connector's own settings. */
export const ChannelOptions = Type.Object(optionProperties);
export type ChannelOptions = Static<typeof ChannelOptions>;

export const Channel = Type.Object(
  {
    id: Uuid,
    platformId: Type.String({ pattern: '^[A-Za-z0-9-]+$', examples: ['chatplugin'] }),
    name: Type.String(),
    connectorId: Uuid,
    identifier: Type.String({ description: 'The mail address, the number, or the id of the account at its source.' }),
    status: oneOf(STATUSES),
    contactIdentifierKeyOverride: optionProperties.contactIdentifierKeyOverride,
    contactIdentifierFormatOverride: optionProperties.contactIdentifierFormatOverride,
    platformServiceUrlOverride: optionProperties.platformServiceUrlOverride,
    platformServiceVersionOverride: optionProperties.platformServiceVersionOverride,
    platformServiceProtocolOverride: optionProperties.platformServiceProtocolOverride,
    platformMessageJsonSchemaOverride: optionProperties.platformMessageJsonSchemaOverride,
    platformTemplateEngineOverride: optionProperties.platformTemplateEngineOverride,
    capabilities: CapabilityTree,
    settings: Type.Array(SettingRow),
    connectionParams: Type.Array(SettingRow),
    preferences: optionProperties.preferences,
    useCaseId: optionProperties.useCaseId,
    useCaseType: optionProperties.useCaseType,
    channelMessageType: optionProperties.channelMessageType,
    suites: optionProperties.suites,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Channel' },
);
export type Channel = Static<typeof Channel>;

export const ChannelDetails = Type.Object(
  {
    id: Uuid,
    source: Type.String({ examples: ['twilio.sms'] }),
    platformId: Type.String(),
    sourceChannelId: Type.String(),
    identifier: Type.String(),
    name: Type.String(),
    imageUrl: nullable(Type.String()),
    status: oneOf(STATUSES),
    statusReason: nullable(Type.String()),
    sandbox: Type.Boolean({ description: 'A stand-in answers; no provider is ever called.' }),
    settings: FreeForm,
    details: Type.Record(Type.String(), Type.Unknown(), { description: 'What the provider told about the account.' }),
    metadata: FreeForm,
    grantsAccess: Type.Boolean({ description: 'A person can grant it access in the browser: POST …/consent.' }),
    setup: Type.Array(Type.Object({ label: Type.String(), value: Type.String(), help: Type.Optional(Type.String()) })),
    lastInAt: nullable(Timestamp),
    lastOutAt: nullable(Timestamp),
    lastError: nullable(Type.Object({ class: Type.String(), message: Type.String(), at: Type.String() })),
    health: nullable(FreeForm),
    healthAt: nullable(Timestamp),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'ChannelDetails' },
);
export type ChannelDetails = Static<typeof ChannelDetails>;
