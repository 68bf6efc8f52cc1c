/** From a request of this surface to the one gate that everything goes out through. */
import { parsePhoneNumberFromString } from 'libphonenumber-js';
import { capabilitiesOf } from '../../connectors/connector.ts';
import type { Recipient } from '../../engine/destination.ts';
import type { Engine } from '../../engine/engine.ts';
import type { FallbackStep, SendRequest } from '../../engine/send.ts';
import type { Content, EmailContent, MailAddress } from '../../model/content.ts';
import type { Conversation } from '../../model/conversation.ts';
import { invalid } from '../../model/errors.ts';
import type { Message } from '../../model/message.ts';
import { type ChannelRow, getChannel } from '../../store/channels.ts';
import { getContact, identitiesOf } from '../../store/contacts.ts';
import type { Principal } from '../auth.ts';
import { liveChannelFor } from './access.ts';
import { contentOf } from './bodies.ts';
import { mediaAddresses } from './message-view.ts';
import type { AnswerBody, ReceiverContact, SendBody } from './schemas/message.ts';

/** Of one kind, beside the one that is answered. */
const MOST_READERS = 50;
const SCHEDULE_LIMIT_MS = 35 * 24 * 3600 * 1000;
/** Nearer than this is now. */
const SOON_MS = 10 * 60 * 1000;
/** Identifier keys of Bird's that our connectors know under another name. */
const KINDS = new Map([
  ['email', 'emailaddress'],
  ['phone', 'phonenumber'],
]);

/** Who sends, and the id that the message shall have where the request is one that may be repeated. */
export interface Caller {
  principal: Principal;
  intendedId?: string;
}

export interface Address {
  kind: string;
  value: string;
}

/** Sends to somebody on a channel; who is not known yet becomes a contact. Throws as `Sender.send` does. */
export async function sendOnChannel(engine: Engine, caller: Caller, channel: ChannelRow, body: SendBody): Promise<Message> {
  return engine.sender.send(await requestOnChannel(engine, caller, channel, body));
}

/** What somebody asks to be sent on a channel. Throws `invalid`. */
export async function requestOnChannel(engine: Engine, caller: Caller, channel: ChannelRow, body: SendBody): Promise<SendRequest> {
  const { principal } = caller;
  const { contacts } = body.receiver;
  const primary = contacts.findIndex((contact) => (contact.type ?? 'to') === 'to');
  if (primary < 0) throw invalid('receiver.contacts', 'one of them must be of the type to');
  const content = contentFor(engine, channel, body);
  if (contacts.length > 1) {
    if (content.type !== 'email') throw invalid('receiver.contacts', 'one receiver a message');
    await addReaders(engine, principal.workspaceId, content, contacts);
  }
  const name = body.sender?.connector?.annotations?.name;
  return {
    ...common(engine, caller, channel, body),
    ...(name ? { sender: { id: principal.keyId, name } } : {}),
    to: await destination(engine, principal.workspaceId, channel.id, contacts[primary]!, `receiver.contacts.${primary}`),
    content,
    ...(await otherWays(engine, principal, body, contacts[primary]!)),
  };
}

/** Answers in a conversation. Throws as `Sender.send` does. */
export async function sendInConversation(engine: Engine, caller: Caller, conversation: Conversation, body: AnswerBody): Promise<Message> {
  return engine.sender.send(await requestInConversation(engine, caller, conversation, body));
}

/** What somebody asks to be sent in a conversation. Throws `invalid`. */
export async function requestInConversation(
  engine: Engine,
  caller: Caller,
  conversation: Conversation,
  body: AnswerBody,
): Promise<SendRequest> {
  const { workspaceId } = caller.principal;
  const channel = (await getChannel(engine.database, workspaceId, conversation.channelId))!;
  const content = contentFor(engine, channel, body);
  if (content.type === 'email') {
    if (content.subject === '') content.subject = answerSubject(conversation.subject);
    Object.assign(content, furtherReaders(body.meta?.email));
  }
  const others = await otherWays(engine, caller.principal, body, { id: conversation.contactId });
  return { ...common(engine, caller, channel, body), to: { conversationId: conversation.id }, content, ...others };
}

/** The channels that the message may go by when the first one fails: to the same person, unless another is named. */
async function otherWays(
  engine: Engine,
  principal: Principal,
  { timeoutSeconds, fallback }: AnswerBody,
  receiver: ReceiverContact,
): Promise<Pick<SendRequest, 'timeoutSeconds' | 'fallback'>> {
  if (!fallback?.length) {
    if (timeoutSeconds !== undefined) throw invalid('timeoutSeconds', 'needs a fallback');
    return {};
  }
  const steps: FallbackStep[] = [];
  for (const [n, step] of fallback.entries()) {
    const channel = await liveChannelFor(engine, principal, step.channelId);
    const to = await destination(engine, principal.workspaceId, channel.id, step.receiver ?? receiver, `fallback.${n}.receiver`);
    steps.push({ to, ...(step.timeoutSeconds === undefined ? {} : { timeoutSeconds: step.timeoutSeconds }) });
  }
  return { fallback: steps, ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }) };
}

function common(
  engine: Engine,
  { principal, intendedId }: Caller,
  channel: ChannelRow,
  body: AnswerBody,
): Pick<SendRequest, 'workspaceId' | 'sender' | 'messageId' | 'replyTo' | 'tag' | 'sendAt' | 'metadata' | 'degrade' | 'validitySeconds'> {
  const sendAt = scheduleOf(body.scheduledFor);
  const useCase = (body.meta?.extraInformation as { useCase?: unknown } | undefined)?.useCase;
  const longer = capabilitiesOf(engine.channels.connectorOf(channel.source), engine.channels.view(channel)).window?.extended;
  const metadata: Record<string, unknown> = {
    ...(body.reference === undefined ? {} : { reference: body.reference }),
    ...(body.tags ? { tags: body.tags.map((tag) => tag.toLowerCase()) } : {}),
    ...(body.meta ? { meta: body.meta } : {}),
    ...(sendAt ? { scheduledFor: sendAt.toISOString() } : {}),
  };
  return {
    workspaceId: principal.workspaceId,
    sender: { id: principal.keyId, name: principal.name },
    messageId: intendedId,
    ...(body.replyTo ? { replyTo: body.replyTo.id.toLowerCase() } : {}),
    // Bird's word for a person answering outside the standard window, where the source has a longer one.
    ...((useCase === 'conversation' || useCase === 'transactional') && longer ? { tag: longer.tag } : {}),
    ...(sendAt ? { sendAt } : {}),
    ...(body.degrade ? { degrade: body.degrade } : {}),
    ...(body.validity === undefined ? {} : { validitySeconds: body.validity }),
    metadata,
  };
}

function scheduleOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw invalid('scheduledFor', 'is no date and time');
  const wait = at.getTime() - Date.now();
  if (wait > SCHEDULE_LIMIT_MS) throw invalid('scheduledFor', 'must be at most 35 days ahead');
  return wait > SOON_MS ? at : undefined;
}

function contentFor(engine: Engine, channel: ChannelRow, body: AnswerBody): Content {
  const whole = body.template ? ({ type: 'template', template: body.template } as const) : body.body;
  if (!whole) throw invalid('body', 'body or template is required');
  if (body.template && body.body) throw invalid('template', 'cannot be together with body');
  const capabilities = capabilitiesOf(engine.channels.connectorOf(channel.source), engine.channels.view(channel));
  const subject = (body.meta?.email as { subject?: unknown } | undefined)?.subject;
  return contentOf(whole, mediaAddresses(engine, channel.workspaceId), {
    email: capabilities.email === true,
    ...(typeof subject === 'string' ? { subject } : {}),
  });
}

/** Who is meant by a contact's id or address; `field`: where the caller named it. Throws `invalid`. */
export async function destination(
  engine: Engine,
  workspaceId: string,
  channelId: string,
  contact: ReceiverContact,
  field: string,
): Promise<Exclude<Recipient, { conversationId: string }>> {
  if (contact.id) {
    const known = await getContact(engine.database, workspaceId, contact.id);
    if (!known) throw invalid(`${field}.id`, 'there is no such contact');
    return { channelId, contactId: known.id };
  }
  return { channelId, identity: identityOf(contact, field) };
}

function identityOf(contact: ReceiverContact, field: string): Address {
  const at = { key: `${field}.identifierKey`, value: `${field}.identifierValue` };
  if (!contact.identifierValue) throw invalid(at.value, 'is required');
  if (!contact.identifierKey) throw invalid(at.key, 'is required');
  return addressOf({ key: contact.identifierKey, value: contact.identifierValue }, at.value);
}

/** An address in the one form that is stored; `field`: what the caller called its value. Throws `invalid`. */
export function addressOf(identifier: { key: string; value: string }, field: string): Address {
  const kind = KINDS.get(identifier.key) ?? identifier.key;
  const value = identifier.value.trim();
  if (kind === 'phonenumber') {
    const number = parsePhoneNumberFromString(value.startsWith('+') ? value : `+${value}`);
    if (!number?.isPossible()) throw invalid(field, 'is no phone number with a country code (+49…)');
    return { kind, value: number.number };
  }
  if (kind === 'emailaddress') {
    if (!/^[^\s@]+@[^\s@]+$/.test(value)) throw invalid(field, 'is no mail address');
    return { kind, value: value.toLowerCase() };
  }
  return { kind, value };
}

/** Everybody who gets the mail. */
async function addReaders(
  engine: Engine,
  workspaceId: string,
  content: Extract<Content, { type: 'email' }>,
  contacts: ReceiverContact[],
): Promise<void> {
  const readers: Record<'to' | 'cc' | 'bcc', MailAddress[]> = { to: [], cc: [], bcc: [] };
  for (const [n, contact] of contacts.entries()) {
    readers[contact.type ?? 'to'].push({ address: await mailAddressOf(engine, workspaceId, contact, `receiver.contacts.${n}`) });
  }
  content.to = readers.to;
  if (readers.cc.length > 0) content.cc = readers.cc;
  if (readers.bcc.length > 0) content.bcc = readers.bcc;
}

async function mailAddressOf(engine: Engine, workspaceId: string, contact: ReceiverContact, field: string): Promise<string> {
  if (!contact.id) return identityOf({ identifierKey: 'emailaddress', ...contact }, field).value;
  const identities = await identitiesOf(engine.database, workspaceId, [contact.id]);
  const own = identities.find((identity) => identity.kind === 'emailaddress');
  if (!own) throw invalid(`${field}.id`, 'the contact has no mail address');
  return own.value;
}

/** `meta.email` names who else reads an answer: `{cc: ['…'], bcc: ['…']}`. Throws `invalid`. */
function furtherReaders(meta: unknown): Pick<EmailContent, 'cc' | 'bcc'> {
  const readers: Pick<EmailContent, 'cc' | 'bcc'> = {};
  for (const kind of ['cc', 'bcc'] as const) {
    const given = (meta as Record<string, unknown> | undefined)?.[kind];
    if (given === undefined || given === null) continue;
    if (!Array.isArray(given) || given.length > MOST_READERS) {
      throw invalid(`meta.email.${kind}`, `must be a list of at most ${MOST_READERS} mail addresses`);
    }
    const addresses = given.map((value, n) => {
      const field = `meta.email.${kind}.${n}`;
      if (typeof value !== 'string') throw invalid(field, 'is no mail address');
      return { address: addressOf({ key: 'emailaddress', value }, field).value };
    });
    if (addresses.length > 0) readers[kind] = addresses;
  }
  return readers;
}

function answerSubject(subject: string | null): string {
  if (!subject) return '';
  return /^(re|aw|sv|antw)\s*:/i.test(subject) ? subject : `Re: ${subject}`;
}
