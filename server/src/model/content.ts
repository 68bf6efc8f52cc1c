/**
 * What a message says, in Patchbay's own words. Connectors translate a provider's payload into this and back; the
 * payload itself is kept beside it, so nothing a provider said is lost by the translation.
 */

/** A file that a message carries. Inbound: `providerRef` or `url` until fetched, then `id`. Outbound: `id` or `url`. */
export interface MediaRef {
  /** Our stored media's id. */
  id?: string;
  /** Where the bytes can be fetched; absolute. */
  url?: string;
  /** The provider's handle for the file (WhatsApp media id, Gmail attachment id). */
  providerRef?: string;
  mimeType?: string;
  /** Bytes. */
  size?: number;
  /** Lower-case hex. */
  sha256?: string;
  filename?: string;
  /** Content-ID of an inline mail part, without angle brackets. */
  contentId?: string;
  /** Told of a file that is not here: it is fetched, or was given up. Never stored with the message. */
  state?: 'waiting' | 'failed';
  /** What the last try to fetch it ended with, in plain words. */
  problem?: string;
}

export type MediaKind = 'image' | 'video' | 'audio' | 'file' | 'sticker';

/** A button on a card or under a text. */
export type Action =
  | { type: 'reply'; text: string; payload: string }
  | { type: 'url'; text: string; url: string }
  | { type: 'call'; text: string; phone: string }
  | { type: 'location'; text: string; latitude?: number; longitude?: number; label?: string; request?: boolean };

export interface Card {
  title?: string;
  text?: string;
  media?: MediaRef;
  actions?: Action[];
}

export interface TextContent {
  type: 'text';
  text: string;
  previewUrl?: boolean;
}

export interface MediaContent {
  type: MediaKind;
  media: MediaRef;
  caption?: string;
  /** Recorded as a voice note. */
  voice?: boolean;
  /** Further files of the same message, of any kind (MMS carries up to ten). */
  more?: MediaRef[];
}

export interface LocationContent {
  type: 'location';
  latitude: number;
  longitude: number;
  name?: string;
  address?: string;
}

/** Address-book cards, as the provider gave them or wants them. */
export interface ContactsContent {
  type: 'contacts';
  contacts: { name: string; phones?: string[]; emails?: string[]; raw?: unknown }[];
}

/** A text with a few answers to pick from: quick replies, reply buttons, suggestions. */
export interface ChoicesContent {
  type: 'choices';
  text: string;
  header?: string;
  footer?: string;
  media?: MediaRef;
  choices: { id: string; title: string; imageUrl?: string }[];
}

/** A text with a menu behind a button. */
export interface ListContent {
  type: 'list';
  text: string;
  header?: string;
  footer?: string;
  button: string;
  sections: { title?: string; rows: { id: string; title: string; description?: string }[] }[];
}

/** One rich card, or several side by side. */
export interface CardsContent {
  type: 'cards';
  text?: string;
  cards: Card[];
}

/** One value for a template's placeholder; `name` for named placeholders, else the order counts. */
export interface TemplateParameter {
  type:
    | 'text'
    | 'currency'
    | 'date_time'
    | 'image'
    | 'video'
    | 'document'
    | 'location'
    | 'product'
    | 'payload'
    | 'coupon_code'
    | 'action'
    | 'limited_time_offer';
  name?: string;
  text?: string;
  media?: MediaRef;
  location?: { latitude: number; longitude: number; name?: string; address?: string };
  /** What a kind that has no field above needs, in the provider's own shape. */
  value?: Record<string, unknown>;
}

export interface TemplateComponent {
  type: 'header' | 'body' | 'button' | 'carousel' | 'limited_time_offer';
  /** Buttons: `quick_reply`, `url`, `copy_code`, `flow`, …. */
  subType?: string;
  index?: number;
  parameters?: TemplateParameter[];
  /** Carousel: the components of each card. */
  cards?: { index: number; components: TemplateComponent[] }[];
}

/** A provider-approved template with its values. */
export interface TemplateContent {
  type: 'template';
  name: string;
  language: string;
  components: TemplateComponent[];
  /** The provider's own id of the template where it sends by id (Twilio `HX…`). */
  providerRef?: string;
  /** What the customer reads, filled in when sending. */
  preview?: string;
}

/** A mail. `html` is as received or as written; it is sanitised where it is shown. */
export interface EmailContent {
  type: 'email';
  subject: string;
  text: string;
  html?: string;
  /** What was newly written, without the quoted history. */
  reply?: string;
  from?: MailAddress;
  to?: MailAddress[];
  cc?: MailAddress[];
  bcc?: MailAddress[];
  replyTo?: MailAddress[];
  attachments?: MediaRef[];
  headers?: Record<string, string>;
  messageId?: string;
  inReplyTo?: string;
  references?: string[];
}

export interface MailAddress {
  address: string;
  name?: string;
}

/** The customer picked one of the offered answers, or pressed a button. */
export interface ReplyContent {
  type: 'reply';
  via: 'button' | 'list' | 'quick_reply' | 'postback' | 'suggestion' | 'flow';
  title: string;
  payload: string;
  description?: string;
  /** A flow's answers. */
  data?: Record<string, unknown>;
}

/** A basket sent from a catalogue. */
export interface OrderContent {
  type: 'order';
  catalogId?: string;
  text?: string;
  items: { productId: string; quantity: number; price?: number; currency?: string }[];
}

/** Something the provider said about the conversation rather than the customer in it. */
export interface SystemContent {
  type: 'system';
  text: string;
  event?: string;
}

/** A kind that the provider could not show us, or that we do not know yet; the payload is kept. */
export interface UnsupportedContent {
  type: 'unsupported';
  /** The provider's name for it. */
  kind: string;
  text?: string;
}

/** A payload in the provider's own shape, passed through as it is (what the Airy surface sends). */
export interface NativeContent {
  type: 'native';
  payload: unknown;
  /** Readable text where the payload's shape is known. */
  text?: string;
}

export type Content =
  | TextContent
  | MediaContent
  | LocationContent
  | ContactsContent
  | ChoicesContent
  | ListContent
  | CardsContent
  | TemplateContent
  | EmailContent
  | ReplyContent
  | OrderContent
  | SystemContent
  | UnsupportedContent
  | NativeContent;

export type ContentType = Content['type'];

const MEDIA_KINDS: ReadonlySet<string> = new Set<MediaKind>(['image', 'video', 'audio', 'file', 'sticker']);

/** True for content that is one file with an optional caption. */
export function isMedia(content: Content): content is MediaContent {
  return MEDIA_KINDS.has(content.type);
}

/** Every file a message carries, in order of appearance. */
export function mediaOf(content: Content): MediaRef[] {
  switch (content.type) {
    case 'image':
    case 'video':
    case 'audio':
    case 'file':
    case 'sticker':
      return [content.media, ...(content.more ?? [])];
    case 'choices':
      return content.media ? [content.media] : [];
    case 'cards':
      return content.cards.flatMap((card) => (card.media ? [card.media] : []));
    case 'email':
      return content.attachments ?? [];
    case 'template':
      return templateMedia(content.components);
    default:
      return [];
  }
}

function templateMedia(components: TemplateComponent[]): MediaRef[] {
  return components.flatMap((component) => [
    ...(component.parameters ?? []).flatMap((parameter) => (parameter.media ? [parameter.media] : [])),
    ...(component.cards ?? []).flatMap((card) => templateMedia(card.components)),
  ]);
}

/** One line of plain text for lists, notifications and channels that carry text alone. Empty when there is nothing to say. */
export function textOf(content: Content): string {
  switch (content.type) {
    case 'text':
    case 'system':
      return content.text;
    case 'image':
    case 'video':
    case 'audio':
    case 'file':
    case 'sticker':
      return content.caption ?? content.media.filename ?? '';
    case 'location':
      return content.name ?? content.address ?? `${content.latitude}, ${content.longitude}`;
    case 'contacts':
      return content.contacts.map((contact) => contact.name).join(', ');
    case 'choices':
    case 'list':
      return content.text;
    case 'cards':
      return content.text ?? content.cards[0]?.title ?? content.cards[0]?.text ?? '';
    case 'template':
      return content.preview ?? content.name;
    case 'email':
      return content.subject || (content.reply ?? content.text);
    case 'reply':
      return content.title;
    case 'order':
      return content.text ?? `${content.items.length} items`;
    case 'unsupported':
      return content.text ?? '';
    case 'native':
      return content.text ?? '';
  }
}
