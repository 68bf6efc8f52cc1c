/** Chips, buttons and cards, in the form that Business Messages and RCS share. */
import type { Action, Card, CardsContent, ChoicesContent, Content, MediaRef } from '../../model/content.ts';
import { ProviderError } from '../../model/errors.ts';
import type { ConnectorContext } from '../connector.ts';

export type Suggestion = { reply: { text: string; postbackData: string } } | { action: Record<string, unknown> };

export function repliesOf(choices: ChoicesContent['choices']): Suggestion[] {
  return choices.map((choice) => ({ reply: { text: choice.title, postbackData: choice.id } }));
}

export function suggestionOf(action: Action): Suggestion {
  switch (action.type) {
    case 'reply':
      return { reply: { text: action.text, postbackData: action.payload } };
    case 'url':
      return { action: { text: action.text, postbackData: action.url, openUrlAction: { url: action.url } } };
    case 'call':
      return { action: { text: action.text, postbackData: action.phone, dialAction: { phoneNumber: action.phone } } };
    case 'location':
      return { action: { text: action.text, postbackData: action.text, ...placeOf(action) } };
  }
}

function placeOf(action: Extract<Action, { type: 'location' }>): Record<string, unknown> {
  if (action.request || action.latitude === undefined || action.longitude === undefined) return { shareLocationAction: {} };
  return {
    viewLocationAction: {
      latLong: { latitude: action.latitude, longitude: action.longitude },
      ...(action.label ? { label: action.label } : {}),
    },
  };
}

/** Answers below a text; with a picture, text and picture are a card and the answers stay below it. */
export function choicesOf(content: ChoicesContent, context: ConnectorContext): Record<string, unknown> {
  const suggestions = repliesOf(content.choices);
  if (!content.media) return { text: content.text, suggestions };
  const card: Card = { text: content.text, media: content.media };
  return { richCard: richCardOf({ type: 'cards', cards: [card] }, context), suggestions };
}

const BUTTON = 25;
const POSTBACK = 2048;

/** Limits that the capabilities cannot express, in plain words. */
export function suggestionProblems(content: Content): string[] {
  if (content.type === 'choices') {
    return [
      ...content.choices
        .filter(({ id }) => id.length > POSTBACK)
        .map(({ title }) => `the id of “${title}” is longer than ${POSTBACK} characters`),
      ...(content.media && [...content.text].length > 2000 ? ['with a picture the text has at most 2000 characters'] : []),
    ];
  }
  if (content.type !== 'cards') return [];
  const actions = content.cards.flatMap((card) => card.actions ?? []);
  return [
    ...(content.text ? ['no text is shown beside cards: send it as a message of its own'] : []),
    ...(content.cards.some((card) => !card.title && !card.text && !card.media) ? ['a card needs a title, a text or a picture'] : []),
    ...actions
      .filter(({ text }) => [...text].length > BUTTON)
      .map(({ text }) => `the button “${text}” is longer than ${BUTTON} characters`),
  ];
}

/** One card, or several side by side. */
export function richCardOf(content: CardsContent, context: ConnectorContext): Record<string, unknown> {
  const cards = content.cards.map((card) => cardOf(card, context));
  return cards.length === 1
    ? { standaloneCard: { cardOrientation: 'VERTICAL', cardContent: cards[0] } }
    : { carouselCard: { cardWidth: 'MEDIUM', cardContents: cards } };
}

function cardOf(card: Card, context: ConnectorContext): Record<string, unknown> {
  return {
    ...(card.title ? { title: card.title } : {}),
    ...(card.text ? { description: card.text } : {}),
    ...(card.media ? { media: { height: 'MEDIUM', contentInfo: { fileUrl: addressOf(card.media, context), forceRefresh: false } } } : {}),
    ...(card.actions && card.actions.length > 0 ? { suggestions: card.actions.map(suggestionOf) } : {}),
  };
}

/** Where Google can fetch a file. */
export function addressOf(media: MediaRef, context: ConnectorContext): string {
  const url = media.id ? context.mediaUrl(media.id) : media.url;
  if (!url) throw new ProviderError('rejected', 'the file has no address that Google could fetch');
  return url;
}
