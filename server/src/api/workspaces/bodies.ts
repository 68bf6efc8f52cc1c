/** Message bodies of this surface → the content that the engine and the connectors speak (model/content.ts). */
import type { Action, Card, Content, EmailContent, ListContent, MediaContent, MediaKind, MediaRef } from '../../model/content.ts';
import { invalid, PatchbayError } from '../../model/errors.ts';
import { readTemplate } from './bodies-template.ts';
import type { BodyAction, MessageBody } from './schemas/body.ts';

/** How addresses of files and stored files find each other. */
export interface MediaAddresses {
  /** The stored file behind one of our own addresses. */
  idOf(url: string): string | undefined;
  /** The address of a stored file. */
  urlOf(id: string): string;
}

/** What the channel that it is for makes of it. */
export interface Target {
  /** Mail: everything is a mail, with a subject. */
  email: boolean;
  /** From `meta.email`, where the body itself names no subject. */
  subject?: string;
}

/** Body → content. Throws `invalid` with the field that is wrong, or `not-supported`. */
export function contentOf(body: MessageBody, media: MediaAddresses, target: Target = { email: false }): Content {
  const refOf = (file: { mediaUrl: string; contentType?: string; filename?: string; contentId?: string }): MediaRef => {
    const id = media.idOf(file.mediaUrl);
    return {
      ...(id ? { id } : { url: file.mediaUrl }),
      ...(file.contentType ? { mimeType: file.contentType } : {}),
      ...(file.filename ? { filename: file.filename } : {}),
      ...(file.contentId ? { contentId: file.contentId } : {}),
    };
  };
  const mail = (text: string, html: string | undefined, files: MediaRef[], metadata?: Record<string, unknown>): EmailContent => ({
    type: 'email',
    subject: typeof metadata?.subject === 'string' ? metadata.subject : (target.subject ?? ''),
    text,
    ...(html === undefined ? {} : { html }),
    ...(files.length > 0 ? { attachments: files } : {}),
  });

  switch (body.type) {
    case 'text': {
      const part = need(body.text, 'text');
      const files = (part.attachments ?? []).map(refOf);
      if (target.email) return mail(part.text, undefined, files, part.metadata);
      if (part.actions?.length) return withActions(part.text, part.actions, files);
      if (files.length > 0) return oneFile(files, 'body.text.attachments', part.text);
      if (part.text === '') throw invalid('body.text.text', 'must not be empty');
      return { type: 'text', text: part.text };
    }
    case 'html': {
      const part = need(body.html, 'html');
      const text = part.text ?? '';
      if (!target.email) throw new PatchbayError('not-supported', 'html is carried by mail channels only');
      return mail(text, part.html, (part.attachments ?? []).map(refOf), part.metadata);
    }
    case 'image':
    case 'gif': {
      const part = need(body[body.type], body.type);
      const files = part.images.map((image) => refOf({ mediaUrl: image.mediaUrl, contentType: image.contentType }));
      if (target.email) return mail(part.text ?? '', undefined, files, part.metadata);
      return oneFile(files, `body.${body.type}.images`, part.text, 'image');
    }
    case 'file': {
      const part = need(body.file, 'file');
      const files = part.files.map(refOf);
      if (target.email) return mail(part.text ?? '', undefined, files, part.metadata);
      return oneFile(files, 'body.file.files', part.text);
    }
    case 'location': {
      const { coordinates, label, address } = need(body.location, 'location');
      return { type: 'location', ...coordinates, ...(label ? { name: label } : {}), ...(address ? { address } : {}) };
    }
    case 'carousel': {
      const part = need(body.carousel, 'carousel');
      const cards = part.items.map(
        (item): Card => ({
          ...(item.title ? { title: item.title } : {}),
          ...(item.description ? { text: item.description } : {}),
          ...(item.mediaUrl ? { media: refOf({ mediaUrl: item.mediaUrl }) } : {}),
          ...(item.actions?.length ? { actions: item.actions.map(actionOf) } : {}),
        }),
      );
      return { type: 'cards', ...(part.text ? { text: part.text } : {}), cards };
    }
    case 'list':
      return listOf(need(body.list, 'list'));
    case 'template':
      return readTemplate(need(body.template, 'template'), refOf);
    case 'action': {
      const part = need(body.action, 'action');
      if (!part.actions?.length) throw invalid('body.action.actions', 'is required');
      return withActions(part.text ?? '', part.actions, []);
    }
    case 'section':
    case 'authentication':
      throw new PatchbayError('not-supported', `no channel carries ${body.type} messages`, {
        problems: [{ field: 'body.type', message: `${body.type} is not carried` }],
      });
  }
}

function need<T>(part: T | undefined, name: string): T {
  if (part === undefined) throw invalid(`body.${name}`, 'is required');
  return part;
}

function oneFile(files: MediaRef[], field: string, caption: string | undefined, kind?: MediaKind): MediaContent {
  if (files.length > 1) throw invalid(field, 'one file a message: send the others as messages of their own');
  const media = files[0]!;
  return { type: kind ?? kindOf(media.mimeType), media, ...(caption ? { caption } : {}) };
}

function kindOf(mimeType: string | undefined): MediaKind {
  const [kind] = (mimeType ?? '').split('/');
  return kind === 'image' || kind === 'video' || kind === 'audio' ? kind : 'file';
}

/** Answers to pick from are choices; as soon as one button does something else, it is a card. */
function withActions(text: string, actions: BodyAction[], files: MediaRef[]): Content {
  if (files.length > 1) throw invalid('body.text.attachments', 'one file a message: send the others as messages of their own');
  const own = actions.map(actionOf);
  const replies = own.filter((action) => action.type === 'reply');
  if (replies.length === own.length) {
    return {
      type: 'choices',
      text,
      ...(files[0] ? { media: files[0] } : {}),
      choices: replies.map((action, n) => {
        const imageUrl = actions[n]!.reply?.mediaUrl;
        return { id: action.payload, title: action.text, ...(imageUrl ? { imageUrl } : {}) };
      }),
    };
  }
  return { type: 'cards', cards: [{ ...(text ? { text } : {}), ...(files[0] ? { media: files[0] } : {}), actions: own }] };
}

function actionOf(action: BodyAction): Action {
  const part = <T>(value: T | undefined): T => {
    if (value === undefined) throw invalid(`body.actions.${action.type}`, 'is required');
    return value;
  };
  switch (action.type) {
    case 'reply':
    case 'postback': {
      const { text, payload } = part(action[action.type]);
      return { type: 'reply', text, payload: payload ?? text };
    }
    case 'link':
      return { type: 'url', ...part(action.link) };
    case 'call': {
      const { text, phoneNumber } = part(action.call);
      return { type: 'call', text, phone: phoneNumber };
    }
    case 'location':
      return { type: 'location', ...part(action.location) };
    case 'locationRequest':
      return { type: 'location', ...part(action.locationRequest), request: true };
    case 'buy':
      throw new PatchbayError('not-supported', 'no channel carries buy buttons', {
        problems: [{ field: 'body.actions', message: 'buy is not carried' }],
      });
  }
}

function listOf(part: NonNullable<MessageBody['list']>): ListContent {
  const sections: ListContent['sections'] = [];
  for (const { title, description, payload, section } of part.items) {
    let last = sections.at(-1);
    if (!last || (section ?? undefined) !== last.title) {
      last = { ...(section ? { title: section } : {}), rows: [] };
      sections.push(last);
    }
    last.rows.push({ id: payload ?? title, title, ...(description ? { description } : {}) });
  }
  return {
    type: 'list',
    text: part.text,
    ...(part.title ? { header: part.title } : {}),
    ...(part.metadata?.footer ? { footer: part.metadata.footer } : {}),
    button: part.metadata?.button?.label ?? 'Options',
    sections,
  };
}
