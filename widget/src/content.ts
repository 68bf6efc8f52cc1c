import { type FileKind, kindOf } from './settings.ts';

/** A button of a card: answers with a text, or leads somewhere. */
export type CardAction = { text: string; postback: string } | { text: string; href: string };

export interface CardView {
  title?: string;
  description?: string;
  image?: string;
  alt?: string;
  actions: CardAction[];
}

/** A message's content as the widget draws it. */
export interface ContentView {
  text?: string;
  /** `text` holds the small markdown of rich text messages. */
  rich?: boolean;
  file?: { kind: FileKind; url: string; name: string };
  cards?: CardView[];
  choices?: { text: string; postback: string; image?: string }[];
}

type Json = { [key: string]: unknown };

const object = (value: unknown): Json => (value && typeof value === 'object' ? (value as Json) : {});
const list = (value: unknown): Json[] => (Array.isArray(value) ? value.map(object) : []);
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** The address if it may be linked or loaded, else undefined: what a message says must never become script. */
export function safeUrl(value: unknown, protocols = /^(https?|blob):$/): string | undefined {
  try {
    const url = new URL(String(value), location.href);
    return protocols.test(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

const LINKS = /^(https?|mailto|tel):$/;

/** Reads the content shapes of the chat plugin: text, rich text, attachment, cards, quick replies, picked suggestion. */
export function viewOf(content: unknown): ContentView {
  if (typeof content === 'string') return { text: content };
  const { text: words, containsRichText, attachment, attachments, richCard, quick_replies: replies } = object(content);
  const file = fileOf(object(attachment ?? list(attachments)[0]));
  const cards = cardsOf(object(richCard));
  const choices = list(replies).map((reply) => ({
    text: text(reply.title) ?? '',
    postback: text(reply.payload) ?? text(reply.title) ?? '',
    image: text(reply.image_url) && safeUrl(reply.image_url),
  }));
  return {
    text: text(words),
    rich: String(containsRichText) === 'true',
    ...(file && { file }),
    ...(cards.length > 0 && { cards }),
    ...(choices.length > 0 && { choices }),
  };
}

function fileOf({ type, payload }: Json): ContentView['file'] {
  const { url: address, name } = object(payload);
  const url = address ? safeUrl(address) : undefined;
  if (!url) return undefined;
  return { kind: kindOf(`${type}/`), url, name: text(name) ?? decodeName(url) };
}

function decodeName(url: string): string {
  const last = new URL(url).pathname.split('/').pop() ?? '';
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

function cardsOf({ standaloneCard, carouselCard }: Json): CardView[] {
  const contents = standaloneCard ? [object(object(standaloneCard).cardContent)] : list(object(carouselCard).cardContents);
  return contents.map(({ title, description, media, suggestions }) => {
    const info = object(object(media).contentInfo);
    return {
      title: text(title),
      description: text(description),
      image: info.fileUrl ? safeUrl(info.fileUrl) : undefined,
      alt: text(info.altText),
      actions: list(suggestions).flatMap(({ reply, action }): CardAction[] => {
        const { text: label, postbackData, openUrlAction, dialAction } = object(reply ?? action);
        const words = text(label);
        if (!words) return [];
        const phone = text(object(dialAction).phoneNumber);
        const href = safeUrl(phone ? `tel:${phone}` : (object(openUrlAction).url ?? ''), LINKS);
        const leads = !reply && (phone || object(openUrlAction).url);
        if (leads) return href ? [{ text: words, href }] : [];
        return [{ text: words, postback: text(postbackData) ?? words }];
      }),
    };
  });
}

/** A piece of a text: plain, a link, bold or italic. */
export type Piece = string | { href: string; text: string } | { strong: string } | { em: string };

const PLAIN = /(https?:\/\/[^\s<>"'`]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)/g;
const RICH = /(\[[^\]\n]+\]\([^\s)]+\)|\*\*[^*\n]+\*\*|\*[^*\n]+\*|https?:\/\/[^\s<>"'`]+)/g;

/** Cuts a text into pieces, with the addresses in it made links. */
export function pieces(words: string, rich = false): Piece[] {
  return words.split(rich ? RICH : PLAIN).flatMap((part, index): Piece[] => {
    if (index % 2 === 0) return part ? [part] : [];
    const named = rich && /^\[(.+)\]\((.+)\)$/.exec(part);
    if (named) {
      const href = safeUrl(named[2], LINKS);
      return [href ? { href, text: named[1]! } : named[1]!];
    }
    if (part.startsWith('**')) return [{ strong: part.slice(2, -2) }];
    if (part.startsWith('*')) return [{ em: part.slice(1, -1) }];
    // A full stop after an address belongs to the sentence.
    const [, address = part, rest = ''] = /^(.*?)([.,;:!?)\]]*)$/.exec(part) ?? [];
    const href = safeUrl(address.includes('://') ? address : `mailto:${address}`, LINKS);
    return href ? [{ href, text: address }, ...(rest ? [rest] : [])] : [part];
  });
}

/** A message of a few emoji alone is drawn large. */
export function onlyEmoji(words: string): boolean {
  return /^(\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u200d|\ufe0f|\s){1,16}$/u.test(words);
}
