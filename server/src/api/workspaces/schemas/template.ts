import Type from 'typebox';
import { Template } from './body.ts';
import { FreeForm, nullable, oneOf, Timestamp, Uuid } from './common.ts';

const Field = Type.Object({
  component: oneOf(['header', 'body', 'button']),
  index: Type.Optional(Type.Integer()),
  subType: Type.Optional(Type.String()),
  name: Type.String({ description: 'The placeholder; empty where the component takes one value without a name.' }),
  type: oneOf(['text', 'image', 'video', 'document', 'location', 'coupon_code']),
  text: Type.Optional(Type.String({ description: 'The words around it.' })),
});

export const ProviderTemplate = Type.Object(
  {
    id: Uuid,
    source: Type.String(),
    platformId: Type.String(),
    account: Type.String({ description: "The provider's id of the account that it belongs to." }),
    channelIds: Type.Array(Uuid, { description: 'The channels that can send it.' }),
    name: Type.String(),
    language: Type.String(),
    status: Type.String({ description: 'In the words of the provider; DELETED when it vanished there.' }),
    category: nullable(Type.String()),
    quality: nullable(Type.String()),
    rejectedReason: nullable(Type.String()),
    body: Type.String({ description: 'Its text, with placeholders.' }),
    fields: Type.Array(Field, { description: 'What whoever sends it has to fill in.' }),
    components: Type.Array(FreeForm),
    history: Type.Array(FreeForm),
    syncedAt: nullable(Timestamp),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'ProviderTemplate' },
);

const words = {
  header: Type.Optional(Type.String({ maxLength: 60, description: 'One line above the text.' })),
  body: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1600, description: 'The text, with {{1}} or {{name}} for what is filled in.' }),
  ),
  footer: Type.Optional(Type.String({ maxLength: 60 })),
  components: Type.Optional(Type.Array(FreeForm, { minItems: 1, maxItems: 30, description: "In the provider's own shape." })),
};
const Category = Type.Optional(Type.String({ minLength: 1, maxLength: 60, examples: ['UTILITY', 'MARKETING'] }));

export const NewTemplate = Type.Object(
  {
    channelId: Uuid,
    name: Type.String({ pattern: '^[a-z0-9_]{1,512}$' }),
    language: Type.String({ pattern: '^[a-z]{2,3}([_-][A-Za-z]{2,4})?$' }),
    category: Category,
    ...words,
  },
  {
    additionalProperties: false,
    examples: [
      {
        channelId: '018f6b1e-7c1a-7d20-9c3b-5a4f1f0e9a11',
        name: 'order_sent',
        language: 'en',
        category: 'UTILITY',
        body: 'Your order {{1}} is on its way.',
      },
    ],
  },
);

export const ChangeTemplate = Type.Object({ category: Category, ...words }, { additionalProperties: false });

const { variables, parameters, components } = Template.properties;
export const RenderTemplate = Type.Object({ variables, parameters, components }, { additionalProperties: false });

export const SyncCounts = Type.Object(
  {
    synced: Type.Integer({ description: 'Seen at the provider.' }),
    added: Type.Integer({ description: 'New here.' }),
    updated: Type.Integer({ description: 'Changed here.' }),
  },
  { title: 'SyncCounts' },
);
