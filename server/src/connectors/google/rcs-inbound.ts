/** What RCS users and Google's servers tell (…/rcs-business-messaging/guides/build/messages/receive, …/events/receive). */
import { consentWord } from '../../model/consent.ts';
import type { Content, MediaKind } from '../../model/content.ts';
import { isUuid } from '../../model/ids.ts';
import type { RawEvent } from '../connector.ts';
import type { InboundEvent, Party } from '../events.ts';

interface UserFile {
  category?: string;
  payload?: FilePayload;
  thumbnail?: FilePayload;
}

interface FilePayload {
  mimeType?: string;
  fileSizeBytes?: number;
  fileUri?: string;
  fileName?: string;
}

export interface RcsEvent {
  senderPhoneNumber?: string;
  phoneNumber?: string;
  agentId?: string;
  messageId?: string;
  eventId?: string;
  sendTime?: string;
  eventType?: string;
  text?: string;
  userFile?: UserFile;
  location?: { latitude?: number; longitude?: number };
  suggestionResponse?: { postbackData?: string; text?: string; type?: string };
}

/** The agent's id without Google's domain. */
export function agentIdOf(value: string): string {
  return value.replace(/@rbm\.goog$/, '');
}

/** A decoded event → what happened. Throws on what is none. */
export function parse(event: RawEvent): InboundEvent[] {
  const value = (event.value ?? JSON.parse(event.body.toString('utf8'))) as RcsEvent;
  if (typeof value !== 'object' || value === null) throw new Error('RCS event is not an object');
  const phone = value.senderPhoneNumber ?? value.phoneNumber;
  if (typeof phone !== 'string' || phone === '') throw new Error('RCS event without a phone number');
  const contact: Party = { identities: [{ kind: 'phonenumber', value: phone }] };
  const at = dateOf(value.sendTime);
  if (typeof value.eventType === 'string') return [statusOf(value, contact, at)];
  if (typeof value.messageId !== 'string') throw new Error('RCS message without messageId');
  const content = contentOf(value) ?? { type: 'unsupported', kind: Object.keys(value).join(',') };
  const events: InboundEvent[] = [
    { kind: 'message', direction: 'in', providerId: value.messageId, contact, content, payload: value, ...(at ? { sentAt: at } : {}) },
  ];
  const word = content.type === 'text' ? consentWord(content.text) : undefined;
  if (word === 'stop' || word === 'start') {
    events.push({
      kind: 'consent',
      contact,
      wants: word === 'start',
      keyword: (content as { text: string }).text.trim(),
      ...(at ? { at } : {}),
    });
  }
  return events;
}

/** The words of a message, from the user or as we send it; undefined for a kind that is not known. */
export function contentOf(value: RcsEvent): Content | undefined {
  if (typeof value.text === 'string') return { type: 'text', text: value.text };
  if (value.suggestionResponse) {
    const { text, postbackData } = value.suggestionResponse;
    return { type: 'reply', via: 'suggestion', title: text ?? postbackData ?? '', payload: postbackData ?? '' };
  }
  if (typeof value.location?.latitude === 'number' && typeof value.location.longitude === 'number') {
    return { type: 'location', latitude: value.location.latitude, longitude: value.location.longitude };
  }
  const file = value.userFile?.payload;
  if (!file?.fileUri) return undefined;
  return {
    type: kindOf(file.mimeType),
    media: {
      url: file.fileUri,
      ...(file.mimeType ? { mimeType: file.mimeType } : {}),
      ...(typeof file.fileSizeBytes === 'number' ? { size: file.fileSizeBytes } : {}),
      ...(file.fileName ? { filename: file.fileName } : {}),
    },
  };
}

function kindOf(mimeType: string | undefined): MediaKind {
  const kind = mimeType?.split('/')[0];
  return kind === 'image' || kind === 'video' || kind === 'audio' ? kind : 'file';
}

function statusOf(value: RcsEvent, contact: Party, at: Date | undefined): InboundEvent {
  const time = at ? { at } : {};
  switch (value.eventType) {
    case 'IS_TYPING':
      return { kind: 'typing', contact, on: true };
    case 'SUBSCRIBE':
    case 'UNSUBSCRIBE':
      return { kind: 'consent', contact, wants: value.eventType === 'SUBSCRIBE', keyword: value.eventType, ...time };
    case 'DELIVERED':
    case 'READ':
      return { kind: 'receipt', ...idsOf(value), state: value.eventType === 'READ' ? 'read' : 'delivered', ...time };
    case 'TTL_EXPIRATION_REVOKED':
      return {
        kind: 'receipt',
        ...idsOf(value),
        state: 'failed',
        ...time,
        error: {
          class: 'recipient-unreachable',
          message: 'not delivered in its lifetime, so it was taken back',
          hint: 'Send it by SMS instead.',
          providerCode: value.eventType,
        },
      };
    default:
      return { kind: 'ignored', reason: `RCS event ${value.eventType}` };
  }
}

function idsOf(value: RcsEvent): { providerId: string; ourId?: string } {
  if (typeof value.messageId !== 'string') throw new Error(`RCS event ${value.eventType} without messageId`);
  return { providerId: value.messageId, ...(isUuid(value.messageId) ? { ourId: value.messageId } : {}) };
}

function dateOf(value: string | undefined): Date | undefined {
  const date = new Date(value ?? '');
  return Number.isNaN(date.getTime()) ? undefined : date;
}
