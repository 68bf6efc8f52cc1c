/** The bodies of messages, as aurion-votel-bird.md A3.6 lists them; unknown fields are refused. */
import Type, { type Static, type TProperties } from 'typebox';
import { FreeForm, oneOf } from './common.ts';

const strict = <const P extends TProperties>(properties: P, options: object = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });

const Url = Type.String({ minLength: 1, maxLength: 4000, pattern: '^https?://' });
const Text = Type.String({ maxLength: 100_000 });
const Label = Type.String({ minLength: 1, maxLength: 2000 });

export const Attachment = strict({
  mediaUrl: Url,
  contentType: Type.Optional(Type.String({ maxLength: 200 })),
  filename: Type.Optional(Type.String({ maxLength: 400 })),
  inline: Type.Optional(Type.Boolean()),
  contentId: Type.Optional(Type.String({ maxLength: 400 })),
});

/** A button. `type` says which of the others is read. */
export const BodyAction = strict({
  type: oneOf(['reply', 'postback', 'link', 'call', 'locationRequest', 'location', 'buy']),
  reply: Type.Optional(strict({ text: Label, payload: Type.Optional(Type.String({ maxLength: 4000 })), mediaUrl: Type.Optional(Url) })),
  postback: Type.Optional(strict({ text: Label, payload: Type.Optional(Type.String({ maxLength: 4000 })) })),
  link: Type.Optional(strict({ text: Label, url: Url })),
  call: Type.Optional(strict({ text: Label, phoneNumber: Type.String({ minLength: 1, maxLength: 40 }) })),
  locationRequest: Type.Optional(strict({ text: Label })),
  location: Type.Optional(
    strict({
      text: Label,
      latitude: Type.Number({ minimum: -90, maximum: 90 }),
      longitude: Type.Number({ minimum: -180, maximum: 180 }),
      label: Type.Optional(Type.String({ maxLength: 2000 })),
    }),
  ),
  buy: Type.Optional(FreeForm),
});
export type BodyAction = Static<typeof BodyAction>;
const Actions = Type.Array(BodyAction, { maxItems: 50 });

const TextPart = strict({
  text: Text,
  attachments: Type.Optional(Type.Array(Attachment, { maxItems: 50 })),
  actions: Type.Optional(Actions),
  metadata: Type.Optional(FreeForm),
});

const HtmlPart = strict({
  html: Type.String({ maxLength: 1_000_000 }),
  text: Type.Optional(Text),
  attachments: Type.Optional(Type.Array(Attachment, { maxItems: 50 })),
  metadata: Type.Optional(FreeForm),
});

const Picture = strict({
  mediaUrl: Url,
  altText: Type.Optional(Type.String({ maxLength: 2000 })),
  contentType: Type.Optional(Type.String({ maxLength: 200 })),
});
const ImagePart = strict({
  text: Type.Optional(Text),
  images: Type.Array(Picture, { minItems: 1, maxItems: 50 }),
  metadata: Type.Optional(FreeForm),
});

const FilePart = strict({
  text: Type.Optional(Text),
  files: Type.Array(
    strict({
      mediaUrl: Url,
      contentType: Type.String({ minLength: 1, maxLength: 200 }),
      filename: Type.Optional(Type.String({ maxLength: 400 })),
    }),
    { minItems: 1, maxItems: 50 },
  ),
  metadata: Type.Optional(FreeForm),
});

const LocationPart = strict({
  coordinates: strict({ latitude: Type.Number({ minimum: -90, maximum: 90 }), longitude: Type.Number({ minimum: -180, maximum: 180 }) }),
  label: Type.Optional(Type.String({ maxLength: 2000 })),
  address: Type.Optional(Type.String({ maxLength: 2000 })),
});

const CarouselPart = strict({
  text: Type.Optional(Type.String({ maxLength: 1024 })),
  items: Type.Array(
    strict({
      title: Type.Optional(Type.String({ maxLength: 2000 })),
      description: Type.Optional(Text),
      mediaUrl: Type.Optional(Url),
      actions: Type.Optional(Actions),
    }),
    { minItems: 1, maxItems: 50 },
  ),
});

const ListPart = strict({
  text: Type.String({ minLength: 1, maxLength: 100_000 }),
  title: Type.Optional(Type.String({ maxLength: 2000 })),
  items: Type.Array(
    strict({
      title: Label,
      description: Type.Optional(Type.String({ maxLength: 2000 })),
      payload: Type.Optional(Type.String({ maxLength: 4000 })),
      section: Type.Optional(
        Type.String({ maxLength: 2000, description: 'Title of the section; items of one section follow each other.' }),
      ),
    }),
    { minItems: 1, maxItems: 200 },
  ),
  metadata: Type.Optional(
    strict({
      button: Type.Optional(strict({ label: Type.String({ minLength: 1, maxLength: 20 }) })),
      footer: Type.Optional(Type.String({ maxLength: 2000 })),
    }),
  ),
});

export const Template = strict(
  {
    projectId: Type.Optional(Type.String({ maxLength: 200 })),
    name: Type.Optional(Type.String({ maxLength: 512 })),
    version: Type.Optional(Type.String({ maxLength: 200 })),
    locale: Type.String({ minLength: 2, maxLength: 20, examples: ['en', 'pt-BR'] }),
    variables: Type.Optional(Type.Record(Type.String(), Type.String())),
    parameters: Type.Optional(
      Type.Array(strict({ type: Type.String({ maxLength: 60 }), key: Type.String({ maxLength: 200 }), value: Type.Unknown() }), {
        maxItems: 100,
      }),
    ),
    components: Type.Optional(
      Type.Array(FreeForm, {
        maxItems: 30,
        description: 'Header, body and buttons with their values, where `parameters` says too little.',
      }),
    ),
    attachments: Type.Optional(Type.Array(Attachment, { maxItems: 50 })),
    shortLinks: Type.Optional(FreeForm),
    utmParameters: Type.Optional(FreeForm),
    settings: Type.Optional(FreeForm),
  },
  { title: 'Template' },
);
export type Template = Static<typeof Template>;

const ActionPart = strict({
  text: Type.Optional(Text),
  type: Type.Optional(
    Type.String({ maxLength: 60, description: 'What was pressed: button, list, quick_reply, postback, suggestion, flow.' }),
  ),
  payload: Type.Optional(Type.String({ maxLength: 4000 })),
  description: Type.Optional(Text),
  data: Type.Optional(FreeForm),
  actions: Type.Optional(Actions),
});

export const BODY_TYPES = [
  'text',
  'html',
  'image',
  'file',
  'gif',
  'location',
  'carousel',
  'list',
  'section',
  'authentication',
  'template',
  'action',
] as const;

export const MessageBody = strict(
  {
    type: oneOf(BODY_TYPES),
    text: Type.Optional(TextPart),
    html: Type.Optional(HtmlPart),
    image: Type.Optional(ImagePart),
    file: Type.Optional(FilePart),
    gif: Type.Optional(ImagePart),
    location: Type.Optional(LocationPart),
    carousel: Type.Optional(CarouselPart),
    list: Type.Optional(ListPart),
    section: Type.Optional(FreeForm),
    authentication: Type.Optional(FreeForm),
    template: Type.Optional(Template),
    action: Type.Optional(ActionPart),
  },
  {
    title: 'MessageBody',
    description: '`type` names the field that holds the content.',
    examples: [
      { type: 'text', text: { text: 'Hello' } },
      { type: 'image', image: { images: [{ mediaUrl: 'https://example.com/a.png', altText: 'A picture' }] } },
    ],
  },
);
export type MessageBody = Static<typeof MessageBody>;
