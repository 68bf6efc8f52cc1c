import Type, { type Static } from 'typebox';
import { FreeForm, nullable, Timestamp, Uuid } from './common.ts';

export const Identifier = Type.Object(
  {
    key: Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength: 64, examples: ['phonenumber'] }),
    value: Type.String({ minLength: 1, maxLength: 500, examples: ['+491711234567'] }),
  },
  { additionalProperties: false },
);

export const Contact = Type.Object(
  {
    id: Uuid,
    computedDisplayName: Type.String({ description: 'The name, or the first address of one that has none.' }),
    featuredIdentifiers: Type.Array(Type.Object({ key: Type.String(), value: Type.String() })),
    attributes: Type.Record(Type.String(), Type.Unknown(), { description: '`displayName`, `avatarUrl` and whatever is kept with them.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Contact' },
);
export type Contact = Static<typeof Contact>;

const writable = {
  displayName: Type.Optional(nullable(Type.String({ maxLength: 200 }))),
  avatarUrl: Type.Optional(nullable(Type.String({ maxLength: 2000, pattern: '^https?://' }))),
  attributes: Type.Optional(FreeForm),
};

export const CreateContact = Type.Object(
  { ...writable, identifiers: Type.Optional(Type.Array(Identifier, { maxItems: 20 })) },
  {
    additionalProperties: false,
    examples: [{ displayName: 'Ann Example', identifiers: [{ key: 'phonenumber', value: '+491711234567' }] }],
  },
);

export const ChangeContact = Type.Object(
  { ...writable, addIdentifiers: Type.Optional(Type.Array(Identifier, { maxItems: 20 })) },
  { additionalProperties: false, minProperties: 1, examples: [{ attributes: { title: 'Dr.' } }] },
);
export type ChangeContact = Static<typeof ChangeContact>;

export const UpsertContact = Type.Object(ChangeContact.properties, {
  additionalProperties: false,
  examples: [{ displayName: 'Ann Example' }],
});

export const ServiceWindow = Type.Object(
  {
    serviceWindowExpireAt: nullable(Timestamp),
    isPermanentSession: nullable(Type.Boolean()),
    metadata: Type.Optional(nullable(Type.Record(Type.String(), Type.String()))),
  },
  { title: 'ServiceWindow' },
);
