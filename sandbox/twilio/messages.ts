/** The Messages resource: what Twilio checks before it takes a message, and what becomes of it afterwards. */
import { countSegments } from '../../server/src/connectors/twilio/segments.ts';
import { sessionProblem } from './content-types.ts';
import { newSid, notFound, Refusal, type SandboxAccount, type SandboxContent, type SandboxMessage } from './state.ts';

/** Twilio's own numbers for tests, and what writing to them gives (twilio.com/docs/iam/test-credentials). */
const MAGIC: Record<string, [code: number, message: string]> = {
  '+15005550001': [21211, "The 'To' number +15005550001 is not a valid phone number."],
  '+15005550002': [21612, "The 'To' phone number: +15005550002, is not currently reachable using the 'From' phone number"],
  '+15005550003': [21408, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: +15005550003."],
  '+15005550004': [21610, 'Attempt to send to unsubscribed recipient'],
  '+15005550009': [21614, "'To' number is not a valid mobile number"],
};

/** Checks a request as Twilio does and creates the message. Throws `Refusal`. */
export function createMessage(account: SandboxAccount, form: URLSearchParams, now: Date): SandboxMessage {
  const to = form.get('To');
  const from = form.get('From');
  const service = form.get('MessagingServiceSid');
  const media = form.getAll('MediaUrl');
  const contentSid = form.get('ContentSid');
  if (!to) throw new Refusal(400, 21604, "A 'To' phone number is required.");
  if (!from && !service) throw new Refusal(400, 21603, "A 'From' phone number is required.");
  const whatsapp = to.startsWith('whatsapp:');
  const bare = to.replace(/^whatsapp:/, '');
  if (!/^\+[1-9]\d{4,14}$/.test(bare)) throw new Refusal(400, 21211, `The 'To' number ${to} is not a valid phone number.`);
  const magic = MAGIC[bare];
  if (magic) throw new Refusal(400, magic[0], magic[1]);
  if (from === to) throw new Refusal(400, 21266, "'To' and 'From' number cannot be the same");
  if (!form.get('Body') && media.length === 0 && !contentSid)
    throw new Refusal(400, 21619, 'A text message body or media urls must be specified.');
  const sender = from ?? account.numbers[0]?.phone_number ?? '';
  checkSender(account, sender, whatsapp);
  checkMedia(media, whatsapp);
  checkSchedule(form, now);
  const callback = form.get('StatusCallback');
  if (callback !== null && !isWebAddress(callback))
    throw new Refusal(400, 21609, `The 'StatusCallback' URL ${callback} is not a valid URL.`);
  const body = contentSid ? fill(account, contentSid, form.get('ContentVariables')) : (form.get('Body') ?? '');
  if ([...body].length > 1600) throw new Refusal(400, 21617, 'The concatenated message body exceeds the 1600 character limit');
  if (account.stopped.has(`${sender}|${to}`)) throw new Refusal(400, 21610, 'Attempt to send to unsubscribed recipient');

  const message: SandboxMessage = {
    sid: newSid(media.length > 0 ? 'MM' : 'SM'),
    from: sender,
    to,
    body,
    status: form.get('ScheduleType') ? 'scheduled' : service ? 'accepted' : 'queued',
    direction: 'outbound-api',
    created: now,
    sent: null,
    media: media.map((url) => ({ sid: newSid('ME'), type: 'image/jpeg', data: Buffer.alloc(0), url })),
    errorCode: null,
    errorMessage: null,
    messagingServiceSid: service,
    statusCallback: callback,
    segments: countSegments(body).segments,
  };
  account.messages.push(message);
  return message;
}

function checkSender(account: SandboxAccount, sender: string, whatsapp: boolean): void {
  if (whatsapp) {
    const known = account.senders.some((item) => item.sender_id === sender);
    if (!known) throw new Refusal(400, 63007, 'Twilio could not find a Channel with the specified From address');
    return;
  }
  const number = account.numbers.find((item) => item.phone_number === sender);
  if (!number) throw new Refusal(400, 21659, `'From' ${sender} is not a Twilio phone number or Short Code country mismatch`);
  if (!number.capabilities.sms)
    throw new Refusal(400, 21606, `The 'From' phone number provided (${sender}) is not a valid message-capable Twilio phone number`);
}

function checkMedia(media: string[], whatsapp: boolean): void {
  if (media.length > (whatsapp ? 1 : 10)) throw new Refusal(400, 21623, 'Number of media files exceeds allowed limit');
  for (const url of media) if (!isWebAddress(url)) throw new Refusal(400, 21620, `Invalid media URL(s) ${url}`);
}

function checkSchedule(form: URLSearchParams, now: Date): void {
  if (!form.get('ScheduleType')) return;
  if (!form.get('MessagingServiceSid')) throw new Refusal(400, 35118, 'MessagingServiceSid is required to schedule a message');
  const ahead = new Date(form.get('SendAt') ?? '').getTime() - now.getTime();
  if (Number.isNaN(ahead)) throw new Refusal(400, 35111, "The 'SendAt' parameter is missing or not valid");
  if (ahead < 900_000 || ahead > 35 * 86_400_000)
    throw new Refusal(400, 35114, 'SendAt time must be between 900 seconds and 35 days from now');
}

function fill(account: SandboxAccount, sid: string, variables: string | null): string {
  const content = account.contents.find((item) => item.sid === sid);
  if (!content) throw new Refusal(400, 21655, 'The ContentSid Parameter is Invalid');
  const values = { ...content.variables, ...variablesOf(variables) };
  return bodyOf(content).replace(/\{\{\s*(\w+)\s*\}\}/g, (placeholder, name: string) => values[name] ?? placeholder);
}

function variablesOf(json: string | null): Record<string, string> {
  if (!json) return {};
  try {
    return JSON.parse(json) as Record<string, string>;
  } catch {
    throw new Refusal(400, 21656, 'The ContentVariables Parameter is invalid.');
  }
}

function bodyOf(content: SandboxContent): string {
  const bodies = Object.values(content.types).map((type) => type.body ?? type.title);
  return bodies.find((body): body is string => typeof body === 'string') ?? '';
}

function isWebAddress(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/**
 * WhatsApp's rules: outside 24 hours after the customer's last message only an approved template is delivered, within
 * them also what needs no approval.
 */
export function windowProblem(
  account: SandboxAccount,
  message: SandboxMessage,
  form: URLSearchParams,
  now: Date,
): [number, string] | undefined {
  if (!message.to.startsWith('whatsapp:')) return undefined;
  const content = account.contents.find((item) => item.sid === form.get('ContentSid'));
  const last = account.lastInbound.get(`${message.from}|${message.to}`);
  if (last && now.getTime() - last.getTime() < 86_400_000) return content && sessionProblem(content);
  if (content?.approval.status === 'approved') return undefined;
  return [63016, 'Failed to send freeform message because you are outside the allowed window.'];
}

export function findMessage(account: SandboxAccount, sid: string, path: string): SandboxMessage {
  const message = account.messages.find((item) => item.sid === sid);
  if (!message) throw notFound(path);
  return message;
}

/** A message as the API shows it. */
export function messageJson(account: SandboxAccount, message: SandboxMessage): Record<string, unknown> {
  const uri = `/2010-04-01/Accounts/${account.sid}/Messages/${message.sid}`;
  return {
    body: message.body,
    num_segments: String(message.segments),
    direction: message.direction,
    from: message.from,
    to: message.to,
    date_updated: message.created.toUTCString().replace('GMT', '+0000'),
    price: null,
    error_message: message.errorMessage,
    uri: `${uri}.json`,
    account_sid: account.sid,
    num_media: String(message.media.length),
    status: message.status,
    messaging_service_sid: message.messagingServiceSid,
    sid: message.sid,
    date_sent: message.sent ? message.sent.toUTCString().replace('GMT', '+0000') : null,
    date_created: message.created.toUTCString().replace('GMT', '+0000'),
    error_code: message.errorCode,
    price_unit: 'USD',
    api_version: '2010-04-01',
    subresource_uris: { media: `${uri}/Media.json`, feedback: `${uri}/Feedback.json` },
  };
}

/** One page of the account's messages, newest first, with Twilio's filters. */
export function listMessages(account: SandboxAccount, query: URLSearchParams): Record<string, unknown> {
  const from = query.get('From');
  const to = query.get('To');
  const since = query.get('DateSent>');
  const size = Math.min(Math.max(Number(query.get('PageSize') ?? 50), 1), 1000);
  const page = Math.max(Number(query.get('Page') ?? 0), 0);
  const matching = account.messages
    .filter((item) => (!from || item.from === from) && (!to || item.to === to))
    .filter((item) => !since || (item.sent ?? item.created).toISOString().slice(0, 10) >= since)
    .reverse();
  const base = `/2010-04-01/Accounts/${account.sid}/Messages.json`;
  const pageUri = (number: number): string => {
    const next = new URLSearchParams(query);
    next.set('Page', String(number));
    next.set('PageSize', String(size));
    return `${base}?${next}`;
  };
  const last = (page + 1) * size >= matching.length;
  return {
    messages: matching.slice(page * size, (page + 1) * size).map((item) => messageJson(account, item)),
    end: Math.min((page + 1) * size, matching.length),
    first_page_uri: pageUri(0),
    next_page_uri: last ? null : pageUri(page + 1),
    page,
    page_size: size,
    previous_page_uri: page > 0 ? pageUri(page - 1) : null,
    start: page * size,
    uri: pageUri(page),
  };
}
