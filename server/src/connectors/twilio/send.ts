/** One message → Twilio's Messages resource (twilio.com/docs/messaging/api/message-resource). */
import { type Content, type MediaRef, mediaOf, type TemplateComponent } from '../../model/content.ts';
import { asText } from '../../model/degrade.ts';
import { ProviderError } from '../../model/errors.ts';
import type { ChannelView, ConnectorContext, OutboundMessage, SendReceipt } from '../connector.ts';
import { recipientOf, statusUrl, type TwilioSource, unreachable } from './addresses.ts';
import { accountOfChannel, callJson, messagesPath, type Parameters } from './client.ts';
import type { Credentials, Settings } from './schemas.ts';
import { bodyOf, isSessionContent, type SessionContent, sessionContentSid } from './session-content.ts';
import { contentSidOf } from './templates.ts';

type Channel = ChannelView<Settings, Credentials>;

export const MALFORMED = 'Malformed message. Requires either "Body" or "MediaUrl" property';
interface MessageResource {
  sid?: string;
  status?: string;
  num_segments?: string;
  error_code?: number | null;
  error_message?: string | null;
}

/** Hands one message to Twilio. Throws `ProviderError`. */
export async function send(
  source: TwilioSource,
  message: OutboundMessage,
  channel: Channel,
  context: ConnectorContext,
): Promise<SendReceipt> {
  const to = recipientOf(source, message.to);
  if (!to) throw new ProviderError('recipient-unreachable', 'the contact has no phone number', { scope: 'recipient' });
  const account = accountOfChannel(channel, context.config);
  const common: Parameters = {
    To: to,
    ...senderOf(channel),
    ...scheduleOf(message, channel, context.now()),
    ...validityOf(message, context.now()),
  };
  if (!unreachable(context.config)) common.StatusCallback = statusUrl(context.config, channel.sourceChannelId, message.id);
  const create = (content: Parameters) =>
    callJson<MessageResource>(account, context, {
      method: 'POST',
      path: `${messagesPath(account)}.json`,
      form: { ...common, ...content },
    });
  let content = await parametersOf(message.content, channel, context);
  let answer: MessageResource;
  try {
    answer = await create(content);
  } catch (error) {
    const deleted = error instanceof ProviderError && error.code === CONTENT_GONE && isSessionContent(message.content);
    if (!deleted) throw error;
    content = await parametersOf(message.content, channel, context, { anew: true });
    answer = await create(content);
  }
  if (!answer.sid) throw new ProviderError('unknown-outcome', 'Twilio’s answer names no message', { raw: answer });
  return {
    providerId: answer.sid,
    state: answer.status === 'scheduled' ? 'scheduled' : 'sent',
    payload: content,
    details: { status: answer.status, num_segments: answer.num_segments },
  };
}

/** The ContentSid does not exist: somebody deleted what we had made. */
const CONTENT_GONE = '21655';

function senderOf(channel: Channel): Parameters {
  const service = channel.settings.messaging_service_sid;
  // With a service, From still picks the number that the contact knows.
  return service ? { MessagingServiceSid: service, From: channel.sourceChannelId } : { From: channel.sourceChannelId };
}

/** Twilio counts from when it sends, and takes at most ten hours. */
function validityOf({ validUntil, sendAt }: OutboundMessage, now: Date): Parameters {
  if (!validUntil) return {};
  const seconds = Math.ceil((validUntil.getTime() - Math.max(now.getTime(), sendAt?.getTime() ?? 0)) / 1000);
  return { ValidityPeriod: String(Math.min(Math.max(seconds, 1), 36_000)) };
}

/** Takes a message back that Twilio keeps until its time. */
export async function cancel({ providerId }: { providerId: string }, channel: Channel, context: ConnectorContext): Promise<void> {
  const account = accountOfChannel(channel, context.config);
  const path = `${messagesPath(account)}/${providerId}.json`;
  await callJson(account, context, { method: 'POST', path, form: { Status: 'canceled' } });
}

const SOONEST_MS = 15 * 60_000;
const LATEST_MS = 35 * 86_400_000;

/** True when Twilio can keep the message until then; a little is left for the way there. */
export function schedules(sendAt: Date, channel: Channel): boolean {
  const ahead = sendAt.getTime() - Date.now();
  return Boolean(channel.settings.messaging_service_sid) && ahead > SOONEST_MS + 60_000 && ahead < LATEST_MS;
}

/** Twilio keeps a message for later only for a messaging service, and only between 15 minutes and 35 days ahead. */
function scheduleOf(message: OutboundMessage, channel: Channel, now: Date): Parameters {
  if (!message.sendAt) return {};
  const ahead = message.sendAt.getTime() - now.getTime();
  if (ahead <= 0) return {};
  const reject = (words: string, hint: string) => new ProviderError('rejected', words, { hint });
  if (!channel.settings.messaging_service_sid) {
    throw reject('Twilio sends later only through a messaging service', 'Set the channel’s messaging service SID.');
  }
  if (ahead < SOONEST_MS || ahead > LATEST_MS) {
    throw reject('Twilio sends later only between 15 minutes and 35 days ahead', 'Choose another time.');
  }
  return { ScheduleType: 'fixed', SendAt: message.sendAt.toISOString() };
}

/** Our content → Twilio's parameters. `anew`: Content that was made before does not count. */
export async function parametersOf(
  content: Content,
  channel: Channel,
  context: ConnectorContext,
  options: { anew?: boolean } = {},
): Promise<Parameters> {
  if (isSessionContent(content)) return await sessionParameters(content, channel, context, options);
  if (content.type === 'template') {
    return {
      ContentSid: content.providerRef ?? (await contentSidOf(content.name, content.language, channel, context)),
      ContentVariables: JSON.stringify(variablesOf(content.components, context)),
    };
  }
  return plainParameters(content, context);
}

/** Buttons, lists and cards; where the Content API is not served, the same words as text. */
async function sessionParameters(
  content: SessionContent,
  channel: Channel,
  context: ConnectorContext,
  options: { anew?: boolean },
): Promise<Parameters> {
  const mediaUrl = (media: MediaRef) => addressOf(media, context);
  const ContentSid = await sessionContentSid(content, channel, context, { ...options, mediaUrl });
  return ContentSid ? { ContentSid } : { Body: asText(content, { mediaUrl }) };
}

/** How Twilio's list shows the message: what it says, and how many files it has; undefined where that cannot be known. */
export function listedAs(content: Content, context: ConnectorContext): { body: string; files?: number } | undefined {
  if (isSessionContent(content)) return { body: bodyOf(content) };
  if (content.type === 'template') return content.preview === undefined ? undefined : { body: content.preview };
  const { Body, MediaUrl, ContentSid } = plainParameters(content, context);
  if (ContentSid !== undefined) return undefined;
  return { body: typeof Body === 'string' ? Body : '', files: Array.isArray(MediaUrl) ? MediaUrl.length : 0 };
}

function plainParameters(content: Content, context: ConnectorContext): Parameters {
  switch (content.type) {
    case 'text':
      return { Body: content.text };
    case 'image':
    case 'video':
    case 'audio':
    case 'file':
    case 'sticker':
      return {
        ...(content.caption ? { Body: content.caption } : {}),
        MediaUrl: mediaOf(content).map((media) => addressOf(media, context)),
      };
    case 'location': {
      const label = [content.name, content.address].filter(Boolean).join(', ');
      return {
        Body: content.name ?? content.address ?? `${content.latitude}, ${content.longitude}`,
        PersistentAction: `geo:${content.latitude},${content.longitude}${label ? `|${label}` : ''}`,
      };
    }
    case 'native':
      return nativeParameters(content.payload);
    default:
      throw new ProviderError('rejected', `Twilio cannot carry ${content.type} messages`);
  }
}

function addressOf(media: MediaRef, context: ConnectorContext): string {
  const url = media.id ? context.mediaUrl(media.id) : media.url;
  if (!url) throw new ProviderError('rejected', 'the file has no address that Twilio could fetch');
  return url;
}

/** Twilio numbers the values over the whole template; named ones keep their names. */
function variablesOf(components: TemplateComponent[], context: ConnectorContext): Record<string, string> {
  const variables: Record<string, string> = {};
  let position = 0;
  const add = (parts: TemplateComponent[]): void => {
    for (const component of parts) {
      for (const parameter of component.parameters ?? []) {
        position += 1;
        const value = parameter.media ? addressOf(parameter.media, context) : parameter.text;
        variables[parameter.name ?? String(position)] = value ?? textOfValue(parameter.value);
      }
      for (const card of component.cards ?? []) add(card.components);
    }
  };
  add(components);
  return variables;
}

function textOfValue(value: Record<string, unknown> | undefined): string {
  const known = value?.fallback_value ?? value?.text ?? value?.payload ?? value?.coupon_code;
  return typeof known === 'string' ? known : value === undefined ? '' : JSON.stringify(value);
}

/**
 * The Airy surface's payload: `Body`, or one or several `MediaUrl`; of both, `Body` alone is used. A template by its
 * `ContentSid` works too.
 */
export function nativeParameters(payload: unknown): Parameters {
  const fields = typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
  if (typeof fields.ContentSid === 'string' && fields.ContentSid) {
    const variables = fields.ContentVariables;
    return {
      ContentSid: fields.ContentSid,
      ...(variables === undefined ? {} : { ContentVariables: typeof variables === 'string' ? variables : JSON.stringify(variables) }),
    };
  }
  if (typeof fields.Body === 'string' && fields.Body !== '') return { Body: fields.Body };
  const media = (Array.isArray(fields.MediaUrl) ? fields.MediaUrl : [fields.MediaUrl]).filter(
    (url): url is string => typeof url === 'string' && url !== '',
  );
  if (media.length === 0) throw new ProviderError('rejected', MALFORMED);
  return { MediaUrl: media };
}

/** Limits of Twilio's that the capabilities cannot express. */
export function check(content: Content, maxFiles: number): string[] {
  if (content.type === 'native') {
    try {
      nativeParameters(content.payload);
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  }
  const files = mediaOf(content).length;
  return files > maxFiles ? [`${files} files, this channel takes at most ${maxFiles} with one message`] : [];
}
