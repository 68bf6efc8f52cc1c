/**
 * Buttons, lists and cards within the 24-hour window: Twilio sends them as Content only, which needs no approval then
 * (twilio.com/docs/content/content-types-overview). It is made on the way and used again for the same words.
 */
import { createHash } from 'node:crypto';
import type { Action, Card, CardsContent, ChoicesContent, Content, ListContent } from '../../model/content.ts';
import type { ChannelView, ConnectorContext } from '../connector.ts';
import { accountOfChannel, call } from './client.ts';
import { errorOf } from './errors.ts';
import { isNotServed, objectOf, stringOf } from './lookup.ts';

export type SessionContent = ChoicesContent | ListContent | CardsContent;

/** Twilio's content types, by name. */
type Types = Record<string, Record<string, unknown>>;

/** Longest text above the buttons, whatever it is made of. */
const MAX_BODY = 1024;
const MAX_BUTTON_ID = 256;
const MAX_ROW_ID = 200;
const KEPT_SECONDS = 30 * 86_400;
/** Names of what we made for one message, so that the list of templates can leave it out. */
export const SESSION_NAME = 'patchbay_session_';

export function isSessionContent(content: Content): content is SessionContent {
  return content.type === 'choices' || content.type === 'list' || content.type === 'cards';
}

/** What WhatsApp does not take without an approved template, in plain words; empty when all is well. */
export function sessionProblems(content: Content): string[] {
  if (!isSessionContent(content)) return [];
  const body = bodyOf(content);
  const problems = [
    ...(body === '' ? ['buttons and lists need a text above them'] : []),
    ...([...body].length > MAX_BODY
      ? [`text with header and footer has ${[...body].length} characters, this channel takes at most ${MAX_BODY}`]
      : []),
  ];
  if (content.type === 'list') {
    const rows = content.sections.flatMap((section) => section.rows);
    return [...problems, ...rows.filter(({ id }) => id.length > MAX_ROW_ID).map(({ title }) => tooLongId('row', title, MAX_ROW_ID))];
  }
  const buttons = content.type === 'choices' ? content.choices : repliesOf(content.cards[0]?.actions ?? []);
  problems.push(...buttons.filter(({ id }) => id.length > MAX_BUTTON_ID).map(({ title }) => tooLongId('button', title, MAX_BUTTON_ID)));
  if (content.type === 'cards') problems.push(...cardProblems(content.cards[0]));
  return problems;
}

function tooLongId(what: string, title: string, max: number): string {
  return `the id of the ${what} “${title}” is longer than ${max} characters`;
}

function cardProblems(card: Card | undefined): string[] {
  const actions = card?.actions ?? [];
  const replies = actions.filter(({ type }) => type === 'reply').length;
  const links = actions.filter(({ type }) => type === 'url').length;
  const title = actions.find(({ text }) => [...text].length > 20);
  return [
    ...(actions.length === 0 ? ['a card without buttons is a picture with a caption'] : []),
    ...(replies === actions.length || (links === 1 && actions.length === 1)
      ? []
      : ['without an approved template a card has up to three answers, or one link']),
    ...(title ? [`the button “${title.text}” is longer than 20 characters`] : []),
  ];
}

/** The text above the buttons: also how Twilio lists the message. */
export function bodyOf(content: SessionContent): string {
  switch (content.type) {
    case 'choices':
      return lines(content.header, content.text, content.footer);
    case 'list':
      return lines(content.header, content.text, content.sections[0]?.title, content.footer);
    case 'cards':
      return lines(content.text, content.cards[0]?.title, content.cards[0]?.text);
  }
}

/**
 * The Content for these words: the one that was made before, else a new one. Undefined where the Content API is not
 * served. Throws `ProviderError` when Twilio refuses the account or is away.
 */
export async function sessionContentSid(
  content: SessionContent,
  channel: ChannelView,
  context: ConnectorContext,
  options: { mediaUrl(media: { id?: string; url?: string }): string; anew?: boolean },
): Promise<string | undefined> {
  const types = typesOf(content, options.mediaUrl);
  const hash = createHash('sha256').update(JSON.stringify(types)).digest('hex').slice(0, 32);
  const key = `session-content:${hash}`;
  const known = options.anew ? undefined : await context.memo.get(key);
  if (typeof known === 'string') return known;
  const response = await call(accountOfChannel(channel, context.config), context, {
    service: 'content',
    method: 'POST',
    path: '/v1/Content',
    json: { friendly_name: SESSION_NAME + hash, language: 'en', variables: {}, types },
  });
  if (isNotServed(response)) return undefined;
  if (response.status >= 300) throw errorOf(response);
  const sid = stringOf(objectOf(response.json()).sid);
  if (sid) await context.memo.set(key, sid, KEPT_SECONDS);
  return sid;
}

function typesOf(content: SessionContent, mediaUrl: (media: { id?: string; url?: string }) => string): Types {
  const body = literal(bodyOf(content));
  switch (content.type) {
    case 'choices': {
      const actions = content.choices.map(replyAction);
      if (content.media) return { 'twilio/card': { title: body, media: [mediaUrl(content.media)], actions } };
      return { 'twilio/quick-reply': { body, actions } };
    }
    case 'list': {
      const items = content.sections.flatMap((section) =>
        section.rows.map(({ id, title, description }) => ({
          id: literal(id),
          item: literal(title),
          ...(description ? { description: literal(description) } : {}),
        })),
      );
      return { 'twilio/list-picker': { body, button: literal(content.button), items } };
    }
    case 'cards': {
      const { media, actions = [] } = content.cards[0]!;
      return { 'twilio/card': { title: body, ...(media ? { media: [mediaUrl(media)] } : {}), actions: actions.map(actionOf) } };
    }
  }
}

function actionOf(action: Action): Record<string, unknown> {
  if (action.type === 'url') return { type: 'URL', title: literal(action.text), url: literal(action.url) };
  return replyAction({ id: action.type === 'reply' ? action.payload : action.text, title: action.text });
}

function repliesOf(actions: Action[]): { id: string; title: string }[] {
  return actions.flatMap((action) => (action.type === 'reply' ? [{ id: action.payload, title: action.text }] : []));
}

function replyAction({ id, title }: { id: string; title: string }): Record<string, unknown> {
  return { type: 'QUICK_REPLY', title: literal(title), id: literal(id) };
}

/** Two braces would be a placeholder to Twilio: an invisible character keeps them apart. */
function literal(text: string): string {
  return text.replaceAll('{{', '{\u2060{');
}

function lines(...parts: (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join('\n');
}
