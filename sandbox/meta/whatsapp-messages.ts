/** Is this body one that `POST /{phone-number-id}/messages` takes? developers.facebook.com/docs/whatsapp/cloud-api/reference/messages */
import { GraphError, invalid, missing } from './errors.ts';
import type { MetaState, Template } from './state.ts';

type Body = Record<string, any>;

const WINDOW_MS = 24 * 3600 * 1000;
const TYPES = ['text', 'image', 'video', 'audio', 'document', 'sticker', 'location', 'contacts', 'interactive', 'template', 'reaction'];
const MEDIA = new Set(['image', 'video', 'audio', 'document', 'sticker']);
const CAPTIONS = new Set(['image', 'video', 'document']);

export interface Envelope {
  type: string;
  /** Digits of the number, or the business-scoped id. */
  recipient: string;
  byUserId: boolean;
}

/** Throws Meta's error for the first thing that is wrong. */
export function checkMessage(body: Body, state: MetaState, wabaTemplates: Template[]): Envelope {
  if (body.messaging_product !== 'whatsapp') throw missing('messaging_product');
  if (body.recipient_type !== undefined && body.recipient_type !== 'individual' && body.recipient_type !== 'group')
    throw invalid('recipient_type');
  const recipient = recipientOf(body);
  const type = body.type ?? TYPES.find((name) => body[name] !== undefined) ?? 'text';
  if (!TYPES.includes(type)) throw invalid(`type must be one of ${TYPES.join(', ')}`);
  const part = body[type];
  if (part === undefined || part === null || typeof part !== 'object') throw missing(type);
  if (body.context !== undefined && typeof body.context?.message_id !== 'string') throw missing("context['message_id']");
  if (typeof body.biz_opaque_callback_data === 'string' && body.biz_opaque_callback_data.length > 512)
    throw invalid('biz_opaque_callback_data is too long');
  if (MEDIA.has(type)) checkMedia(type, part, state);
  else if (type === 'text') length('text.body', part.body, 4096);
  else if (type === 'location') checkLocation(part);
  else if (type === 'contacts') checkContacts(part);
  else if (type === 'reaction') checkReaction(part);
  else if (type === 'interactive') checkInteractive(part, state);
  else checkTemplate(part, wabaTemplates, state);
  return { type, ...recipient };
}

function recipientOf(body: Body): { recipient: string; byUserId: boolean } {
  if (body.to !== undefined) {
    const digits = String(body.to).replace(/[\s+().-]/g, '');
    if (!/^\d{5,15}$/.test(digits)) throw invalid('to is not a phone number');
    return { recipient: digits, byUserId: false };
  }
  if (typeof body.recipient === 'string') {
    if (!/^[A-Z]{2}\.[A-Za-z0-9.]{1,128}$/.test(body.recipient)) throw invalid('recipient is not a business-scoped user ID');
    return { recipient: body.recipient, byUserId: true };
  }
  throw missing('to');
}

/** Free messages need a customer who wrote within 24 hours. */
export function windowIsOpen(state: MetaState, from: string, recipient: string, now: number): boolean {
  const last = state.lastInbound.get(`${from} ${recipient}`);
  return last !== undefined && now - last < WINDOW_MS;
}

export function windowClosed(): GraphError {
  return new GraphError(400, 131047, '(#131047) Re-engagement message', {
    details: 'Message failed to send because more than 24 hours have passed since the customer last replied to this number.',
  });
}

function length(name: string, value: unknown, longest: number, shortest = 1): void {
  if (typeof value !== 'string' || value.length < shortest) throw missing(name);
  if (value.length > longest) throw new GraphError(400, 100, `(#100) Param ${name} must be at most ${longest} characters long.`);
}

function optional(name: string, value: unknown, longest: number): void {
  if (value !== undefined) length(name, value, longest);
}

function checkMedia(type: string, part: Body, state: MetaState): void {
  if (part.id === undefined && part.link === undefined) throw missing(`${type}['id'] or ${type}['link']`);
  if (part.id !== undefined && part.link !== undefined) throw invalid(`${type} has both an id and a link`);
  if (part.id !== undefined && !state.media.has(String(part.id))) {
    throw new GraphError(400, 131053, '(#131053) Media upload error', { details: `Media ${part.id} does not exist or has expired` });
  }
  if (part.link !== undefined && !/^https?:\/\//.test(part.link)) throw invalid(`${type}['link'] is not an address`);
  if (part.caption !== undefined && !CAPTIONS.has(type)) throw invalid(`${type} takes no caption`);
  optional(`${type}['caption']`, part.caption, 1024);
}

function checkLocation(part: Body): void {
  for (const name of ['latitude', 'longitude'])
    if (!Number.isFinite(Number(part[name])) || part[name] === '') throw missing(`location['${name}']`);
}

function checkContacts(part: unknown): void {
  if (!Array.isArray(part) || part.length === 0) throw missing('contacts');
  for (const contact of part) if (typeof contact?.name?.formatted_name !== 'string') throw missing("contacts['name']['formatted_name']");
}

function checkReaction(part: Body): void {
  if (typeof part.message_id !== 'string') throw missing("reaction['message_id']");
  if (typeof part.emoji !== 'string') throw missing("reaction['emoji']");
}

function checkInteractive(part: Body, state: MetaState): void {
  const { action, header } = part;
  if (typeof part.type !== 'string') throw missing("interactive['type']");
  if (action === null || typeof action !== 'object') throw missing("interactive['action']");
  if (header !== undefined) {
    if (!['text', 'image', 'video', 'document'].includes(header.type)) throw invalid("interactive['header']['type']");
    if (header.type === 'text') length("interactive['header']['text']", header.text, 60);
    else checkMedia(header.type, header[header.type] ?? {}, state);
  }
  if (part.footer !== undefined) length("interactive['footer']['text']", part.footer.text, 60);
  if (part.type === 'button') {
    length("interactive['body']['text']", part.body?.text, 1024);
    checkButtons(action.buttons);
  } else if (part.type === 'list') {
    length("interactive['body']['text']", part.body?.text, 4096);
    checkList(action);
  }
}

function checkButtons(buttons: unknown): void {
  if (!Array.isArray(buttons) || buttons.length < 1 || buttons.length > 3)
    throw invalid('Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3');
  for (const button of buttons) {
    if (button.type !== 'reply') throw invalid('Only reply buttons are allowed');
    length("button['reply']['title']", button.reply?.title, 20);
    length("button['reply']['id']", button.reply?.id, 256);
  }
  distinct(
    buttons.map((button) => button.reply.title),
    'Duplicated title for buttons',
  );
  distinct(
    buttons.map((button) => button.reply.id),
    'Duplicated id for buttons',
  );
}

function checkList(action: Body): void {
  length("action['button']", action.button, 20);
  if (!Array.isArray(action.sections) || action.sections.length < 1 || action.sections.length > 10) throw invalid('sections count');
  const rows = action.sections.flatMap((section: Body) => section.rows ?? []);
  if (rows.length < 1 || rows.length > 10) throw invalid('Total row count exceed max allowed count: 10');
  for (const section of action.sections) if (action.sections.length > 1) length("section['title']", section.title, 24);
  for (const row of rows) {
    length("row['id']", row.id, 200);
    length("row['title']", row.title, 24);
    optional("row['description']", row.description, 72);
  }
  distinct(
    rows.map((row: Body) => row.id),
    'Duplicated row id',
  );
}

function distinct(values: string[], message: string): void {
  if (new Set(values).size !== values.length) throw invalid(message);
}

const PLACEHOLDER = /\{\{\s*\w+\s*\}\}/g;

function checkTemplate(part: Body, templates: Template[], state: MetaState): void {
  if (typeof part.name !== 'string') throw missing("template['name']");
  if (typeof part.language?.code !== 'string') throw missing("template['language']['code']");
  const template = templates.find(({ name, language }) => name === part.name && language === part.language.code);
  if (!template || template.status === 'PENDING' || template.status === 'REJECTED') {
    throw new GraphError(404, 132001, '(#132001) Template name does not exist in the translation', {
      details: `template name (${part.name}) does not exist in ${part.language.code}`,
    });
  }
  if (template.status === 'PAUSED') throw new GraphError(400, 132015, '(#132015) Template is paused');
  if (template.status === 'DISABLED') throw new GraphError(400, 132016, '(#132016) Template is disabled');
  checkTemplateValues(template.components, Array.isArray(part.components) ? part.components : [], state);
}

function checkTemplateValues(defined: Body[], given: Body[], state: MetaState): void {
  for (const component of defined) {
    const type = String(component.type).toLowerCase();
    const parameters: Body[] = given
      .filter((candidate) => String(candidate.type).toLowerCase() === type)
      .flatMap((candidate) => candidate.parameters ?? []);
    if (type === 'body' || (type === 'header' && (component.format ?? 'TEXT') === 'TEXT'))
      checkTexts(type, component.text ?? '', parameters);
    else if (type === 'header') {
      const wanted = String(component.format).toLowerCase();
      if (parameters.length !== 1 || parameters[0]!.type !== wanted) {
        throw new GraphError(400, 132012, '(#132012) Parameter format does not match format in the created template', {
          details: `header: Format mismatch, expected ${component.format}, received ${parameters[0]?.type ?? 'UNKNOWN'}`,
        });
      }
      if (MEDIA.has(wanted)) checkMedia(wanted, parameters[0]![wanted] ?? {}, state);
    } else if (type === 'buttons') checkTemplateButtons(component.buttons ?? [], given);
    else if (type === 'carousel') checkCards(component.cards ?? [], given, state);
  }
}

function checkTexts(place: string, text: string, parameters: Body[]): void {
  const names = new Set(text.match(PLACEHOLDER) ?? []);
  if (names.size !== parameters.length) {
    throw new GraphError(400, 132000, '(#132000) Number of parameters does not match the expected number of params', {
      details: `${place}: number of localizable_params (${parameters.length}) does not match the expected number of params (${names.size})`,
    });
  }
  for (const parameter of parameters) {
    if (parameter.type === 'text') length(`${place} text`, parameter.text, 1024);
    if (parameter.parameter_name !== undefined && !text.includes(`{{${parameter.parameter_name}}}`)) {
      throw new GraphError(400, 132000, `(#132000) Parameter name ${parameter.parameter_name} is not in the template`);
    }
  }
}

function checkTemplateButtons(buttons: Body[], given: Body[]): void {
  buttons.forEach((button, index) => {
    const needed = (button.type === 'URL' && /\{\{/.test(button.url ?? '')) || button.type === 'COPY_CODE' || button.type === 'OTP';
    const component = given.find((candidate) => candidate.type === 'button' && Number(candidate.index) === index);
    if (needed && !component?.parameters?.length) {
      throw new GraphError(400, 131008, '(#131008) Required parameter is missing', {
        details: `buttons: Button at index ${index} of type ${button.type} requires a parameter`,
      });
    }
  });
}

function checkCards(cards: Body[], given: Body[], state: MetaState): void {
  const sent: Body[] = given.find((candidate) => String(candidate.type).toLowerCase() === 'carousel')?.cards ?? [];
  if (sent.length !== cards.length)
    throw new GraphError(400, 132012, '(#132012) Parameter format does not match format in the created template', {
      details: 'carousel: number of cards',
    });
  cards.forEach((card, index) => {
    const values = sent.find((candidate) => Number(candidate.card_index) === index);
    checkTemplateValues(card.components ?? [], values?.components ?? [], state);
  });
}
