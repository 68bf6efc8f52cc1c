import type { Capabilities } from './capabilities.ts';
import { carries } from './capabilities.ts';
import type { Action, Card, Content, MediaContent, MediaRef } from './content.ts';
import { violations } from './limits.ts';

/** What would be sent, what was changed on the way, or why nothing can be. */
export type Degraded =
  | { outcome: 'as-is'; content: Content }
  | { outcome: 'degraded'; content: Content; changes: string[] }
  | { outcome: 'refused'; problems: string[] };

export interface DegradeOptions {
  /** An address of a file that the reader can open; without one a file cannot become a link. */
  mediaUrl?: (media: MediaRef) => string | undefined;
  /** Limits of the channel that its capabilities cannot express. */
  check?: (content: Content) => string[];
}

/**
 * The nearest thing that a channel can carry: first the same content in a simpler form (choices as a list, a card as a
 * picture with a caption), then text with links. Pure, so a dry run and the real send give the same result. Nothing is
 * ever cut off: what does not fit even as text is refused, with the limits it breaks.
 */
export function degrade(content: Content, capabilities: Capabilities, options: DegradeOptions = {}): Degraded {
  const problems = problemsOf(content, capabilities, options);
  if (problems.length === 0) return { outcome: 'as-is', content };
  const reason = problems.join('; ');
  for (const candidate of candidates(content, capabilities, options)) {
    if (candidate.content && problemsOf(candidate.content, capabilities, options).length === 0) {
      return { outcome: 'degraded', content: candidate.content, changes: [`${reason}: sent as ${candidate.as}`] };
    }
  }
  return { outcome: 'refused', problems };
}

/** Everything that stands against this content on a channel, in words that name the limit. */
export function problemsOf(content: Content, capabilities: Capabilities, options: Pick<DegradeOptions, 'check'> = {}): string[] {
  const broken = violations(content, capabilities);
  return carries(capabilities, content.type) ? [...broken, ...(options.check?.(content) ?? [])] : broken;
}

interface Candidate {
  content: Content | undefined;
  as: string;
}

function* candidates(content: Content, capabilities: Capabilities, options: DegradeOptions): Generator<Candidate> {
  if (content.type === 'sticker') yield { content: { ...content, type: 'image' }, as: 'a picture' };
  if (content.type === 'choices') {
    const { choices, text, header, footer } = content;
    const rows = choices.map(({ id, title }) => ({ id, title }));
    if (!content.media && carries(capabilities, 'list')) {
      yield { content: { type: 'list', text, header, footer, button: 'Options', sections: [{ rows }] }, as: 'a list' };
    }
  }
  if ((content.type === 'image' || content.type === 'video') && content.caption && !content.more?.length) {
    yield { content: { type: 'cards', cards: [{ text: content.caption, media: content.media }] }, as: 'a card' };
  }
  if (content.type === 'cards') {
    const buttons = asChoices(content);
    if (buttons) yield { content: buttons, as: 'buttons' };
    const picture = content.cards.length === 1 ? content.cards[0]!.media : undefined;
    if (picture) {
      const caption = cardsText(content.text, content.cards, () => undefined);
      yield { content: { type: 'image', media: picture, caption }, as: 'a picture with a caption' };
    }
  }
  if (content.type === 'choices' && content.media) {
    yield { content: { type: 'image', media: content.media, caption: choicesText(content) }, as: 'a picture with a caption' };
  }
  const text = asText(content, options);
  if (text !== undefined && text !== '') {
    yield { content: { type: 'text', text, previewUrl: true }, as: 'text' };
  }
}

/** One card whose buttons are all answers is a text with buttons. */
function asChoices({ text, cards }: Extract<Content, { type: 'cards' }>): Content | undefined {
  const [card, ...more] = cards;
  const actions = card?.actions ?? [];
  const choices = actions.flatMap((action) => (action.type === 'reply' ? [{ id: action.payload, title: action.text }] : []));
  if (!card || more.length > 0 || choices.length === 0 || choices.length < actions.length) return undefined;
  return { type: 'choices', text: lines(text, card.title, card.text), ...(card.media ? { media: card.media } : {}), choices };
}

/** Content as plain text with links; undefined when it cannot be said in text. */
export function asText(content: Content, options: DegradeOptions = {}): string | undefined {
  switch (content.type) {
    case 'text':
      return content.text;
    case 'image':
    case 'video':
    case 'audio':
    case 'file':
    case 'sticker':
      return mediaText(content, options);
    case 'location':
      return lines(content.name, content.address, mapLink(content.latitude, content.longitude));
    case 'contacts':
      return content.contacts.map((contact) => lines(contact.name, ...(contact.phones ?? []), ...(contact.emails ?? []))).join('\n\n');
    case 'choices': {
      const link = content.media && linkTo(content.media, options);
      if (content.media && !link) return undefined;
      return lines(link, choicesText(content));
    }
    case 'list': {
      let number = 0;
      const sections = content.sections.map((section) =>
        lines(section.title, ...section.rows.map((row) => `${++number}. ${row.title}${row.description ? `: ${row.description}` : ''}`)),
      );
      return lines(content.header, content.text, ...sections, content.footer);
    }
    case 'cards': {
      if (content.cards.some((card) => card.media && !linkTo(card.media, options))) return undefined;
      return cardsText(content.text, content.cards, (media) => linkTo(media, options));
    }
    case 'template':
      return content.preview;
    case 'email': {
      const links = (content.attachments ?? []).map((media) => linkTo(media, options));
      if (links.includes(undefined)) return undefined;
      return lines(content.subject, content.text, ...links);
    }
    default:
      return undefined;
  }
}

function mediaText(content: MediaContent, options: DegradeOptions): string | undefined {
  const links = [content.media, ...(content.more ?? [])].map((media) => linkTo(media, options));
  return links.includes(undefined) ? undefined : lines(content.caption, ...links);
}

function choicesText(content: Extract<Content, { type: 'choices' }>): string {
  const options = content.choices.map((choice, index) => `${index + 1}. ${choice.title}`);
  return lines(content.header, content.text, ...options, content.footer);
}

function cardsText(intro: string | undefined, cards: Card[], link: (media: MediaRef) => string | undefined): string {
  const parts = cards.map((card) => lines(card.title, card.text, card.media && link(card.media), ...(card.actions ?? []).map(actionText)));
  return [intro, ...parts].filter((part) => part).join('\n\n');
}

function actionText(action: Action): string {
  switch (action.type) {
    case 'url':
      return `${action.text}: ${action.url}`;
    case 'call':
      return `${action.text}: ${action.phone}`;
    case 'location':
      return action.latitude !== undefined && action.longitude !== undefined
        ? `${action.text}: ${mapLink(action.latitude, action.longitude)}`
        : action.text;
    case 'reply':
      return `- ${action.text}`;
  }
}

/** A link that opens a place in any map. */
export function mapLink(latitude: number, longitude: number): string {
  return `https://maps.google.com/?q=${latitude},${longitude}`;
}

function linkTo(media: MediaRef, options: DegradeOptions): string | undefined {
  return options.mediaUrl?.(media) ?? media.url;
}

function lines(...parts: (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join('\n');
}
