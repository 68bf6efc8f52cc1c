/** Twilio's error codes, classed once (twilio.com/docs/api/errors, twilio.com/docs/whatsapp/tutorial/error-codes). */

import { ProviderError, type ProviderErrorClass } from '../../model/errors.ts';
import type { MessageError } from '../../model/message.ts';
import type { HttpResponse } from '../connector.ts';

interface Meaning {
  class: ProviderErrorClass;
  /** What a person should know. */
  message: string;
  hint?: string;
  scope?: 'channel' | 'recipient';
}

const MEANINGS: Record<string, Meaning> = {
  20003: {
    class: 'unauthorized',
    message: 'Twilio does not accept the account SID or auth token',
    hint: 'Enter the current auth token from the Twilio console.',
    scope: 'channel',
  },
  20005: {
    class: 'unauthorized',
    message: 'the Twilio account is not active',
    hint: 'Check the account in the Twilio console.',
    scope: 'channel',
  },
  20008: {
    class: 'rejected',
    message: 'Twilio test credentials cannot do this',
    hint: "Use the account's live credentials.",
    scope: 'channel',
  },
  20429: { class: 'rate-limited', message: 'too many requests to Twilio', scope: 'channel' },
  20500: { class: 'retry', message: 'Twilio has an internal error' },
  20503: { class: 'retry', message: 'Twilio is not available' },
  21211: { class: 'recipient-unreachable', message: 'the number is not a valid phone number', hint: 'Check the contact’s number.' },
  21212: { class: 'rejected', message: 'the sending number is not valid', scope: 'channel' },
  21217: { class: 'recipient-unreachable', message: 'the number is not a valid phone number' },
  21265: { class: 'recipient-unreachable', message: 'short codes cannot be written to' },
  21266: { class: 'rejected', message: 'sender and recipient are the same number' },
  21408: {
    class: 'rejected',
    message: 'sending to this country is switched off for the account',
    hint: 'Twilio console: Messaging, Settings, Geo permissions.',
  },
  21602: { class: 'rejected', message: 'the message is empty' },
  21604: { class: 'rejected', message: 'the recipient is missing' },
  21606: { class: 'rejected', message: 'the sending number does not belong to the account or cannot send this', scope: 'channel' },
  21608: {
    class: 'recipient-unreachable',
    message: 'a trial account writes to verified numbers only',
    hint: 'Verify the number in the Twilio console or upgrade the account.',
  },
  21609: {
    class: 'rejected',
    message: 'the status callback address is not valid',
    hint: 'Set PUBLIC_URL to an address that Twilio can reach.',
    scope: 'channel',
  },
  21610: {
    class: 'opted-out',
    message: 'the recipient has answered STOP',
    hint: 'Only the recipient can undo this, by writing START.',
    scope: 'recipient',
  },
  21611: { class: 'rate-limited', message: 'too many messages are queued for this sender', scope: 'channel' },
  21612: { class: 'recipient-unreachable', message: 'there is no route from this sender to this recipient' },
  21614: { class: 'recipient-unreachable', message: 'the number is not a mobile number' },
  21617: { class: 'rejected', message: 'the text is longer than 1600 characters' },
  21619: { class: 'rejected', message: 'a text or a medium is missing' },
  21620: { class: 'rejected', message: 'a media address is not valid' },
  21623: { class: 'rejected', message: 'there are more than ten media' },
  21635: { class: 'recipient-unreachable', message: 'a landline cannot receive messages' },
  21655: { class: 'rejected', message: 'the template (ContentSid) does not exist', hint: 'Sync the templates.' },
  21656: { class: 'rejected', message: 'the template values (ContentVariables) are not valid' },
  21659: { class: 'rejected', message: 'the sender is not a number of this account', scope: 'channel' },
  21660: { class: 'rejected', message: 'the sender does not belong to this account', scope: 'channel' },
  21703: { class: 'rejected', message: 'the messaging service has no senders', scope: 'channel' },
  21704: { class: 'rejected', message: 'the messaging service has no sender for this recipient', scope: 'channel' },
  21705: { class: 'rejected', message: 'the messaging service does not exist', scope: 'channel' },
  30001: { class: 'retry', message: 'the queue of this sender is full' },
  30002: { class: 'unauthorized', message: 'the Twilio account is suspended', scope: 'channel' },
  30003: { class: 'recipient-unreachable', message: 'the phone is switched off or out of reach', hint: 'Try again later.' },
  30004: { class: 'recipient-unreachable', message: 'the recipient or the carrier blocks this message' },
  30005: { class: 'recipient-unreachable', message: 'the number is unknown or no longer in service' },
  30006: { class: 'recipient-unreachable', message: 'a landline or a carrier that cannot be reached' },
  30007: {
    class: 'rejected',
    message: 'the carrier filtered the message as unwanted',
    hint: 'Check the text against the carrier’s rules; do not send it again as it is.',
  },
  30008: { class: 'rejected', message: 'the carrier gave no reason for not delivering' },
  30010: { class: 'rejected', message: 'the price is above the limit that was set' },
  30011: { class: 'recipient-unreachable', message: 'the carrier does not support MMS' },
  30022: { class: 'rate-limited', message: 'the daily limit of the US campaign is reached' },
  30023: { class: 'rate-limited', message: 'the daily limit of the US brand is reached' },
  30024: { class: 'rejected', message: 'the sender is not provisioned at the carrier', scope: 'channel' },
  30032: { class: 'rejected', message: 'the toll-free number is not verified', hint: 'Verify it in the Twilio console.', scope: 'channel' },
  30034: {
    class: 'rejected',
    message: 'the US number is not registered for A2P 10DLC',
    hint: 'Register a campaign for the number in the Twilio console.',
    scope: 'channel',
  },
  30410: { class: 'retry', message: 'the carrier did not answer in time' },
  30453: { class: 'rejected', message: 'the message could not be delivered' },
  63001: { class: 'unauthorized', message: 'WhatsApp does not accept the sender’s credentials', scope: 'channel' },
  63002: { class: 'rejected', message: 'the WhatsApp sender is not found', scope: 'channel' },
  63003: { class: 'recipient-unreachable', message: 'the number is not on WhatsApp' },
  63005: { class: 'rejected', message: 'WhatsApp does not accept this content' },
  63007: {
    class: 'rejected',
    message: 'the account has no WhatsApp sender with this number',
    hint: 'Check the sender in the Twilio console.',
    scope: 'channel',
  },
  63008: { class: 'rejected', message: 'WhatsApp does not accept this sender’s set-up', scope: 'channel' },
  63010: { class: 'retry', message: 'WhatsApp has an internal error' },
  63012: { class: 'retry', message: 'WhatsApp has an internal error' },
  63013: { class: 'rejected', message: 'the message breaks a WhatsApp policy' },
  63014: { class: 'opted-out', message: 'the recipient has blocked this sender' },
  63015: {
    class: 'recipient-unreachable',
    message: 'the recipient has not joined the WhatsApp sandbox',
    hint: 'Let the recipient send the join word to the sandbox number.',
  },
  63016: { class: 'window-closed', message: 'the recipient last wrote more than 24 hours ago', hint: 'Send an approved template.' },
  63018: { class: 'rate-limited', message: 'too many messages from this WhatsApp sender', scope: 'channel' },
  63019: {
    class: 'rejected',
    message: 'WhatsApp could not fetch the medium',
    hint: 'The media address must be public; PUBLIC_URL must be reachable.',
  },
  63020: { class: 'rejected', message: 'WhatsApp has not accepted the business yet', scope: 'channel' },
  63021: { class: 'rejected', message: 'the content is not valid for WhatsApp' },
  63024: { class: 'recipient-unreachable', message: 'the recipient cannot receive this on WhatsApp' },
  63027: { class: 'rejected', message: 'the template does not exist in this language', hint: 'Sync the templates.' },
  63028: { class: 'rejected', message: 'the number of template values is wrong' },
  63031: { class: 'rejected', message: 'sender and recipient are the same number' },
  63032: { class: 'recipient-unreachable', message: 'WhatsApp keeps this recipient in an experiment group that gets no such message' },
  63033: { class: 'opted-out', message: 'the recipient has blocked messages from this sender' },
  63038: { class: 'rate-limited', message: 'the account’s daily message limit is reached', scope: 'channel' },
  63040: { class: 'rejected', message: 'the template was rejected by WhatsApp' },
  63041: { class: 'rejected', message: 'the template is paused by WhatsApp' },
  63042: { class: 'rejected', message: 'the template is disabled by WhatsApp' },
  63049: {
    class: 'recipient-unreachable',
    message: 'Meta chose not to deliver this marketing message',
    hint: 'Do not try again within 24 hours.',
  },
  63051: { class: 'unauthorized', message: 'the WhatsApp business account is locked', scope: 'channel' },
};

/** Twilio's answer to a refused call → a classed error with Twilio's words and plain ones. */
export function errorOf(response: HttpResponse): ProviderError {
  const body = response.json();
  const answer = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const code = answer.code === undefined || answer.code === null ? undefined : String(answer.code);
  const words = typeof answer.message === 'string' && answer.message ? answer.message : undefined;
  const meaning = code === undefined ? undefined : MEANINGS[code];
  const byStatus = classOfStatus(response.status, code !== undefined);
  return new ProviderError(meaning?.class ?? byStatus, words ?? `Twilio answered with status ${response.status}`, {
    code,
    status: response.status,
    scope: meaning?.scope ?? (byStatus === 'unauthorized' || byStatus === 'rate-limited' ? 'channel' : 'message'),
    hint: [meaning?.message, meaning?.hint].filter(Boolean).join('. ') || undefined,
    retryAfterMs: retryAfter(response.headers.get('retry-after')),
    raw: body ?? response.text().slice(0, 2000),
  });
}

/**
 * A 5xx in Twilio's own shape, and 503, say that nothing was done. Any other may come from a gateway after the message
 * was created.
 */
function classOfStatus(status: number, twilioAnswered: boolean): ProviderErrorClass {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 429) return 'rate-limited';
  if (status === 503) return 'retry';
  if (status >= 500) return twilioAnswered ? 'retry' : 'unknown-outcome';
  return 'rejected';
}

function retryAfter(value: string | null): number | undefined {
  const seconds = Number(value);
  return value && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

/** The reason of a message that Twilio reports as failed or undelivered. */
export function messageErrorOf(code: string | undefined, words: string | undefined): MessageError {
  const meaning = code === undefined ? undefined : MEANINGS[code];
  return {
    class: meaning?.class === 'retry' || meaning?.class === 'unauthorized' ? 'rejected' : (meaning?.class ?? 'rejected'),
    message: meaning?.message ?? words ?? (code ? `not delivered (Twilio error ${code})` : 'not delivered'),
    hint: meaning?.hint ?? (code && !meaning ? `See https://www.twilio.com/docs/api/errors/${code}` : undefined),
    providerCode: code,
    providerMessage: words,
  };
}
