/** One message → Twilio's Messages resource (twilio.com/docs/messaging/api/message-resource). */
import { type Content, type MediaRef, mediaOf, type TemplateComponent } from '../../model/content.ts';
import { ProviderError } from '../../model/errors.ts';
import type { ChannelView, ConnectorContext, OutboundMessage, SendReceipt } from '../connector.ts';
import { recipientOf, statusUrl, type TwilioSource, unreachable } from './addresses.ts';
import { accountOfChannel, callJson, messagesPath, type Parameters } from './client.ts';
import type { Credentials, Settings } from './schemas.ts';
import { contentSidOf } from './templates.ts';

type Channel = ChannelView<Settings, Credentials>;

export const MALFORMED = 'Malformed message. Requires either "Body" or "MediaUrl" property';
/** Twilio fetches and keeps at most this many files for one message. */
export const MAX_MEDIA = 10;

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
  const content = await parametersOf(message.content, channel, context);
  const form: Parameters = { To: to, ...senderOf(channel), ...content, ...scheduleOf(message, channel, context.now()) };
  if (!unreachable(context.config)) form.StatusCallback = statusUrl(context.config, channel.sourceChannelId, message.id);
  const answer = await callJson<MessageResource>(account, context, { method: 'POST', path: `${messagesPath(account)}.json`, form });
  if (!answer.sid) throw new ProviderError('unknown-outcome', 'Twilio’s answer names no message', { raw: answer });
  return { providerId: answer.sid, payload: content, details: { status: answer.status, num_segments: answer.num_segments } };
}

function senderOf(channel: Channel): Parameters {
  const service = channel.settings.messaging_service_sid;
  // With a service, From still picks the number that the contact knows.
  return service ? { MessagingServiceSid: service, From: channel.sourceChannelId } : { From: channel.sourceChannelId };
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

/** Our content → Twilio's parameters. */
export async function parametersOf(content: Content, channel: Channel, context: ConnectorContext): Promise<Parameters> {
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
    case 'template':
      return {
        ContentSid: content.providerRef ?? (await contentSidOf(content.name, content.language, channel, context)),
        ContentVariables: JSON.stringify(variablesOf(content.components, context)),
      };
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
export function check(content: Content): string[] {
  if (content.type === 'native') {
    try {
      nativeParameters(content.payload);
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  }
  const files = mediaOf(content).length;
  return files > MAX_MEDIA ? [`${files} files, Twilio takes at most ${MAX_MEDIA} with one message`] : [];
}
