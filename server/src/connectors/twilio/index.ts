/** Twilio: SMS with MMS, and WhatsApp through Twilio. */
import type { Capabilities } from '../../model/capabilities.ts';
import type { Content } from '../../model/content.ts';
import { countryOf } from '../../model/phone.ts';
import { type ChannelView, type Connector, defineConnector, defineProvider, type Estimate } from '../connector.ts';
import { addressOf, type TwilioSource } from './addresses.ts';
import { accountOf, accountOfChannel, callJson } from './client.ts';
import { connect, disconnect, health, setup } from './connect.ts';
import { hook } from './hook.ts';
import { contentOf, parse } from './inbound.ts';
import { explore } from './lookup.ts';
import { media } from './media.ts';
import { buyNumber, checkAccount, ownedNumbers, releaseNumber, searchNumbers } from './numbers.ts';
import { reconcile, settle } from './reconcile.ts';
import { Credentials, Input, Settings } from './schemas.ts';
import { countSegments } from './segments.ts';
import { cancel, check, nativeParameters, schedules, send } from './send.ts';
import { sessionProblems } from './session-content.ts';
import { standIn } from './stand-in.ts';
import { templates } from './templates.ts';

const ICON =
  'M12 0a12 12 0 1 0 0 24 12 12 0 0 0 0-24Zm0 20.8a8.8 8.8 0 1 1 0-17.6 8.8 8.8 0 0 1 0 17.6ZM9 6.6a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8Zm6 0a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8Zm-6 6a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8Zm6 0a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8Z';
const MEGABYTE = 1024 * 1024;
/** Files that one message may have. */
const MMS_FILES = 10;
const WHATSAPP_FILES = 1;

interface Abilities {
  sms: boolean;
  mms: boolean;
  voice: boolean;
}

/** What the number can do, as the account says; where it says nothing, what numbers of its country usually can. */
function abilitiesOf(channel: ChannelView): Abilities {
  const told = channel.details.capabilities as Abilities | undefined;
  if (told) return told;
  const country = countryOf(channel.sourceChannelId);
  return { sms: true, mms: country === 'US' || country === 'CA', voice: false };
}

function smsCapabilities(channel: ChannelView): Capabilities {
  const { sms, mms, voice } = abilitiesOf(channel);
  const limit = { maxBytes: 5 * MEGABYTE, types: ['*'], caption: 1600 };
  return {
    ...(sms ? { text: { max: 1600 } } : {}),
    ...(mms ? { media: { image: limit, video: limit, audio: limit, file: limit } } : {}),
    receipts: { delivered: true, read: false },
    startsConversations: true,
    window: null,
    nodes: [
      ...(sms || mms ? ['messaging', 'messaging.outgoing'] : []),
      ...(mms ? ['messaging.outgoing.mms'] : []),
      ...(sms ? ['messaging.outgoing.media.textFallback'] : []),
      ...(sms || mms ? ['messaging.incoming'] : []),
      ...(mms ? ['messaging.incoming.mms'] : []),
      ...(voice ? ['voice', 'voice.recording'] : []),
    ],
  };
}

const whatsappCapabilities: Capabilities = {
  text: { max: 1600 },
  media: {
    image: { maxBytes: 5 * MEGABYTE, types: ['image/jpeg', 'image/png', 'image/webp'], caption: 1024 },
    video: { maxBytes: 16 * MEGABYTE, types: ['video/mp4', 'video/3gpp'], caption: 1024 },
    audio: { maxBytes: 16 * MEGABYTE, types: ['audio/ogg', 'audio/aac', 'audio/amr', 'audio/mpeg', 'audio/mp4', 'audio/3gpp'] },
    file: { maxBytes: 16 * MEGABYTE, types: ['*'], caption: 1024 },
    sticker: { maxBytes: 500 * 1024, types: ['image/webp'] },
  },
  location: true,
  choices: { max: 3, title: 20, text: 1024, header: 60, footer: 60 },
  list: { rows: 10, sections: 1, title: 24, description: 72, button: 20, text: 1024 },
  cards: { max: 1, title: 1024, text: 1024, actions: 3 },
  templates: true,
  receipts: { delivered: true, read: true },
  typing: { in: false, out: true },
  startsConversations: true,
  window: { hours: 24 },
  nodes: ['messaging', 'messaging.outgoing', 'messaging.outgoing.media.textFallback', 'messaging.incoming'],
};

/** What both sources share. */
function common(
  source: TwilioSource,
): Pick<
  Connector<Settings, Credentials, Input>,
  | 'source'
  | 'identity'
  | 'connect'
  | 'disconnect'
  | 'explore'
  | 'health'
  | 'setup'
  | 'parse'
  | 'send'
  | 'settle'
  | 'schedules'
  | 'cancel'
  | 'reconcile'
  | 'media'
  | 'address'
  | 'readNative'
> {
  return {
    source,
    identity: { kind: 'phonenumber', scoped: false },
    connect: (input, context) => connect(source, input, context),
    explore: (input, context) => explore(source, accountOf(input, context.config), context),
    disconnect: (channel, context, facts) => disconnect(source, channel, context, facts),
    health: (channel, context) => health(source, channel, context),
    setup,
    parse,
    send: (message, channel, context) => send(source, message, channel, context),
    settle: (message, channel, context, isKnown) => settle(source, message, channel, context, isKnown),
    reconcile,
    schedules,
    cancel,
    media,
    address: addressOf,
    readNative,
  };
}

/** A webhook's raw string, or a payload as the Airy surface sends it. */
function readNative(payload: unknown): Content | undefined {
  if (typeof payload === 'string') return contentOf(new URLSearchParams(payload));
  if (typeof payload !== 'object' || payload === null) return undefined;
  const fields = payload as Record<string, unknown>;
  if (typeof fields.ContentSid === 'string') {
    return { type: 'template', name: fields.ContentSid, language: '', components: [], providerRef: fields.ContentSid };
  }
  if (check({ type: 'native', payload }, MMS_FILES).length > 0) return undefined;
  const { Body, MediaUrl } = nativeParameters(payload);
  if (typeof Body === 'string') return { type: 'text', text: Body };
  const [first, ...more] = (MediaUrl as string[]).map((url) => ({ url }));
  return { type: 'file', media: first!, ...(more.length > 0 ? { more } : {}) };
}

/** An SMS is billed by its parts; a message with files is one MMS, whatever its text. */
function estimate(content: Content): Estimate | undefined {
  const said = content.type === 'native' ? readNative(content.payload) : content;
  if (said?.type !== 'text') return undefined;
  const { segments, encoding, units, remaining, unicode } = countSegments(said.text);
  const notes =
    segments > 1 && unicode.length > 0 ? [`Without ${unicode.slice(0, 10).join(' ')} each part would hold 153 characters and not 67`] : [];
  return { parts: segments, encoding, units, remaining, notes };
}

export const twilioSms = defineConnector({
  ...common('twilio.sms'),
  title: 'SMS (Twilio)',
  description: 'Text and picture messages through a phone number of your Twilio account',
  category: 'sms',
  guide: 'channels/sms-twilio.md',
  look: { color: '#F22F46', icon: ICON },
  input: Input,
  settings: Settings,
  credentials: Credentials,
  capabilities: smsCapabilities,
  check: (content) => check(content, MMS_FILES),
  estimate,
  accounts: {
    type: 'sms',
    providers: ['twilio'],
    identifier: 'phone_number',
    withoutKeys: 'its integration has no Twilio account yet: set account_sid and auth_token there',
    check: checkAccount,
    numbers: { owned: ownedNumbers, search: searchNumbers, buy: buyNumber, release: releaseNumber },
  },
  // Twilio queues by itself what a number may not send at once; this only keeps to its API's own rate.
  pacing: { perSecond: 100 },
});

export const twilioWhatsapp = defineConnector({
  ...common('twilio.whatsapp'),
  title: 'WhatsApp (Twilio)',
  description: 'WhatsApp through a sender of your Twilio account',
  category: 'messaging',
  guide: 'channels/whatsapp-twilio.md',
  look: { color: '#25D366', icon: ICON },
  input: Input,
  settings: Settings,
  credentials: Credentials,
  capabilities: whatsappCapabilities,
  check: (content) => [...check(content, WHATSAPP_FILES), ...sessionProblems(content)],
  pacing: { perSecond: 80 },
  templates,
  async typing({ on, lastInboundProviderId }, channel, context) {
    if (!on || !lastInboundProviderId) return;
    await callJson(accountOfChannel(channel, context.config), context, {
      service: 'messaging',
      method: 'POST',
      path: '/v2/Indicators/Typing.json',
      form: { channel: 'whatsapp', messageId: lastInboundProviderId },
    });
  },
});

export const twilio = defineProvider({
  name: 'twilio',
  settings: /^TWILIO_/,
  connectors: [twilioSms, twilioWhatsapp],
  hooks: [hook],
  standIn,
});
