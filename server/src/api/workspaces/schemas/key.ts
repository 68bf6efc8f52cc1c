import Type, { type Static } from 'typebox';
import { nullable, Timestamp, Uuid } from './common.ts';

const properties = {
  id: Uuid,
  name: Type.String(),
  prefix: Type.String({ description: 'The first characters, so that people can tell keys apart.' }),
  scopes: Type.Array(Type.String()),
  sandbox: Type.Boolean({ description: 'Its channels are stand-ins, and it sees no others.' }),
  createdAt: Timestamp,
  lastUsedAt: nullable(Timestamp),
};

export const ApiKey = Type.Object(properties, { title: 'ApiKey' });
export type ApiKey = Static<typeof ApiKey>;

export const NewApiKey = Type.Object({ ...properties, key: Type.String({ description: 'Shown this once.' }) }, { title: 'NewApiKey' });

export const CreateKey = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    scopes: Type.Array(Type.String({ maxLength: 100 }), { minItems: 1, maxItems: 100 }),
    sandbox: Type.Optional(Type.Boolean({ default: false })),
  },
  { additionalProperties: false, examples: [{ name: 'CRM', scopes: ['conversations:read', 'messages:write'] }] },
);
