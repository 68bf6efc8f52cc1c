/** The stand-ins of one workspace, and how what its channels say becomes accounts there. Loaded by sandboxes.ts alone. */
import { randomUUID } from 'node:crypto';
import { inProcess } from '../../../sandbox/common/in-process.ts';
import { createGoogleSandbox } from '../../../sandbox/google/index.ts';
import { createMetaSandbox } from '../../../sandbox/meta/index.ts';
import { newTemplate } from '../../../sandbox/meta/state.ts';
import { createTwilioSandbox } from '../../../sandbox/twilio/index.ts';
import type { ChannelView, HookReply, HookRequest, HttpClient, ProviderConfig, ProviderTemplate } from '../connectors/connector.ts';
import type { Content, MediaKind } from '../model/content.ts';
import { PatchbayError } from '../model/errors.ts';

/** What a simulated customer writes. */
export interface CustomerMessage {
  /** A phone number, or any id where the source has none. */
  from: string;
  name?: string;
  content: Content;
  /** The bytes of the content's file, where it has one. */
  file?: { data: Buffer; mimeType: string };
}

export interface StandInsOptions {
  config: ProviderConfig;
  urls: { meta: string; twilio: string; google: string };
  googleKeys(): { publicKey: string; privateKey: string };
  take(call: HookRequest): Promise<HookReply>;
}

export type StandIns = ReturnType<typeof createStandIns>;

type Known = Record<string, unknown>;

/** Tokens that the stand-in refuses, for those who want to see what happens then. */
const REFUSED = /invalid|expired|wrong|bad/i;

export function createStandIns({ config, urls, googleKeys, take }: StandInsOptions) {
  const adopted = new Set<string>();
  const agents: Record<string, { clientToken: string }> = {};

  async function deliver(path: string, headers: Record<string, string>, body: string): Promise<{ status: number; body: string }> {
    const url = new URL(path, config.publicUrl);
    const reply = await take({
      method: 'POST',
      url: `${config.publicUrl.replace(/\/+$/, '')}${url.pathname}${url.search}`,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers,
      body: Buffer.from(body),
    });
    return { status: reply.status, body: reply.body ?? '' };
  }

  const meta = createMetaSandbox({
    appId: config.require('META_APP_ID'),
    appSecret: config.require('META_APP_SECRET'),
    verifyToken: config.require('META_VERIFY_TOKEN'),
    tokens: [],
    webhook: async ({ headers, body }) => (await deliver('/hooks/meta', headers, body)).status,
  });
  // Our own gate keeps the window; this one forgets who wrote when the process ends.
  meta.faults.windowRefusal = 'never';
  meta.state.callbackUrl = `${config.publicUrl.replace(/\/+$/, '')}/hooks/meta`;
  const twilio = createTwilioSandbox({
    accountSid: config.require('TWILIO_ACCOUNT_SID'),
    authToken: config.require('TWILIO_AUTH_TOKEN'),
    open: true,
    anytime: true,
    post: async (url, headers, body) => {
      const { pathname, search } = new URL(url);
      return (await deliver(pathname + search, headers, body)).status;
    },
  });
  const google = createGoogleSandbox({
    keys: googleKeys(),
    partnerKey: config.require('GOOGLE_PARTNER_KEY'),
    agents,
    deliver: ({ headers, body }) => deliver('/hooks/google', headers, body),
  });
  const http: HttpClient = inProcess({ [urls.meta]: meta.app, [urls.twilio]: twilio.app, [urls.google]: google.app });

  function token(value: unknown): void {
    if (typeof value === 'string' && value && !REFUSED.test(value) && !meta.state.tokens.has(value)) meta.state.addToken({ value });
  }

  function number(input: Known, templates: ProviderTemplate[] = []): void {
    const digits = text(input.display_number ?? input.phone_number).replace(/\D/g, '');
    const id = text(input.phone_number_id) || (digits ? `10${digits}` : '');
    if (!id) return;
    const wabaId = text(input.waba_id ?? input.business_account_id) || `20${id}`;
    let waba = meta.state.waba(wabaId);
    if (!waba) {
      waba = {
        id: wabaId,
        name: 'Sandbox business',
        numbers: [],
        templates: templates.length > 0 ? templates.map(asStored) : [newTemplate({})],
        subscribed: false,
      };
      meta.state.wabas.push(waba);
    }
    if (waba.numbers.some((known) => known.id === id || (digits && known.display_phone_number.replace(/\D/g, '') === digits))) return;
    waba.numbers.push(newNumber(id, digits));
  }

  /** An Instagram account that is connected with a token of its own. */
  function instagramAccount(input: Known): void {
    const value = text(input.access_token);
    const id = text(input.account_id) || `178${value.replace(/\D/g, '').padEnd(6, '0')}`;
    if (value && !REFUSED.test(value) && !meta.state.page(id)) {
      meta.state.addInstagramAccount({ id, username: 'sandbox', name: 'Sandbox on Instagram', token: value });
    }
  }

  function page(input: Known): void {
    const id = text(input.page_id);
    if (!id || meta.state.page(id)) return;
    const instagram = { id: text(input.account_id) || `178${id}`, username: 'sandbox', name: 'Sandbox on Instagram' };
    const made = { id, name: 'Sandbox page', token: `page-token-${id}`, subscribedFields: undefined, instagram };
    meta.state.pages.push(made);
    meta.state.addToken({ value: made.token, reaches: [id, instagram.id] });
  }

  return {
    http,
    meta,
    twilio,
    google,

    knows: (channelId: string) => adopted.has(channelId),

    /** Makes what a connect names exist; any token will do that does not say itself that it is invalid. */
    prepare(source: string, input: Known): void {
      for (const value of [input.user_token, input.api_key, input.access_token, input.page_token, input.auth_token, input.token])
        token(value);
      if (source === 'whatsapp') number(input);
      if (source === 'facebook' || source === 'instagram') page(input);
      if (source === 'instagram' && !text(input.page_id)) instagramAccount(input);
      if (source === 'rcs') agents[text(input.agent_id).trim()] = { clientToken: text(input.client_token) };
    },

    /** Makes what a connected channel needs exist, as it was before this process began. */
    async adopt(source: string, view: ChannelView, templates: ProviderTemplate[]): Promise<void> {
      adopted.add(view.id);
      const { settings, credentials, details } = view;
      token(credentials.access_token);
      if (source === 'whatsapp') {
        number({ ...details, ...settings, phone_number_id: view.sourceChannelId }, templates);
        const waba = meta.state.number(view.sourceChannelId)?.waba;
        if (waba) waba.subscribed = true;
      }
      if (source === 'facebook' || source === 'instagram') {
        if (settings.login !== 'instagram') page(settings);
        if (settings.login === 'instagram') instagramAccount({ ...settings, ...credentials });
        const own = meta.state.page(text(settings.page_id) || text(settings.account_id));
        if (own) own.subscribedFields ??= ['messages'];
      }
      if (source === 'rcs') agents[view.sourceChannelId] = { clientToken: text(credentials.client_token) };
      if (source.startsWith('twilio.'))
        twilio.point(accountOf(view), view.sourceChannelId, `${config.publicUrl.replace(/\/+$/, '')}/hooks/twilio`);
    },

    async customerWrites(source: string, view: ChannelView, message: CustomerMessage): Promise<string> {
      switch (source) {
        case 'whatsapp': {
          const person = { phone: message.from.replace(/\D/g, ''), ...(message.name ? { name: message.name } : {}) };
          const id = meta.whatsappCustomer(view.sourceChannelId, person).write(whatsappMessage(message, meta.state));
          await meta.webhooks.settled();
          return id;
        }
        case 'facebook':
        case 'instagram': {
          const id = meta.pageCustomer(view.sourceChannelId, message.from).write(pageMessage(message));
          await meta.webhooks.settled();
          return id;
        }
        case 'twilio.sms':
        case 'twilio.whatsapp': {
          const prefix = source === 'twilio.whatsapp' ? 'whatsapp:' : '';
          const customer = twilio.customerOf(accountOf(view)) ?? twilio.customer;
          const bare = message.from.replace(/^whatsapp:/, '');
          const { message: written } = await customer.writes({
            from: `${prefix}${bare.startsWith('+') ? bare : `+${bare}`}`,
            to: view.sourceChannelId,
            mediaBase: urls.twilio,
            ...(message.name ? { profileName: message.name } : {}),
            ...twilioMessage(message),
          });
          return written.sid;
        }
        case 'google': {
          const messageId = randomUUID();
          const text = textOf(message);
          const context = { userInfo: { displayName: message.name ?? 'Customer' } };
          const event = {
            agent: view.sourceChannelId,
            conversationId: message.from,
            context,
            message: { messageId, text, createTime: new Date().toISOString() },
          };
          await google.businessMessages(event);
          return messageId;
        }
        case 'rcs': {
          const messageId = randomUUID();
          await google.rcs(view.sourceChannelId, { senderPhoneNumber: message.from, messageId, text: textOf(message) });
          return messageId;
        }
        default:
          throw new PatchbayError('not-supported', `there is no simulated customer for ${source}: use its own way in`);
      }
    },

    async close(): Promise<void> {
      await Promise.all([meta.app.close(), twilio.app.close(), google.app.close()]);
    },
  };

  function accountOf(view: ChannelView): string {
    return text(view.credentials.account_sid) || config.require('TWILIO_ACCOUNT_SID');
  }
}

function asStored({ name, language, status, category, providerRef, components }: ProviderTemplate) {
  return newTemplate({
    name,
    language,
    status,
    components: components as Record<string, unknown>[],
    ...(category ? { category } : {}),
    ...(providerRef ? { id: providerRef } : {}),
  });
}

function newNumber(id: string, digits: string) {
  return {
    id,
    display_phone_number: digits ? `+${digits}` : '+1 555-078-3881',
    verified_name: 'Sandbox number',
    quality_rating: 'GREEN',
    status: 'CONNECTED',
    name_status: 'APPROVED',
    code_verification_status: 'VERIFIED',
    throughput: { level: 'STANDARD' },
    platform_type: 'CLOUD_API',
    whatsapp_business_manager_messaging_limit: 'TIER_1K',
  };
}

function textOf({ content }: CustomerMessage): string {
  if (content.type === 'text') return content.text;
  if (content.type === 'reply') return content.title;
  throw new PatchbayError('not-supported', `the simulated customer cannot write ${content.type} messages here`);
}

type MetaState = ReturnType<typeof createMetaSandbox>['state'];

function whatsappMessage({ content, file }: CustomerMessage, state: MetaState): Record<string, unknown> {
  switch (content.type) {
    case 'text':
      return { type: 'text', text: { body: content.text } };
    case 'image':
    case 'video':
    case 'audio':
    case 'file':
    case 'sticker': {
      const type = content.type === 'file' ? 'document' : content.type;
      const stored = state.store(required(file), file!.mimeType);
      return { type, [type]: { id: stored.id, mime_type: stored.mimeType, ...(content.caption ? { caption: content.caption } : {}) } };
    }
    case 'location': {
      const { latitude, longitude, name, address } = content;
      return { type: 'location', location: { latitude, longitude, ...(name ? { name } : {}), ...(address ? { address } : {}) } };
    }
    case 'reply':
      return { type: 'button', button: { text: content.title, payload: content.payload } };
    case 'native':
      return content.payload as Record<string, unknown>;
    default:
      throw new PatchbayError('not-supported', `the simulated customer cannot write ${content.type} messages here`);
  }
}

function pageMessage(message: CustomerMessage): Record<string, unknown> {
  const { content } = message;
  if (content.type === 'native') return content.payload as Record<string, unknown>;
  if (content.type === 'reply') return { text: content.title, quick_reply: { payload: content.payload } };
  if (isFile(content.type) && 'media' in content && content.media?.url) {
    return { attachments: [{ type: content.type, payload: { url: content.media.url } }] };
  }
  return { text: textOf(message) };
}

function twilioMessage(message: CustomerMessage) {
  const { content, file } = message;
  if (content.type === 'location') return { location: { latitude: content.latitude, longitude: content.longitude } };
  if (content.type === 'reply') return { button: { text: content.title, payload: content.payload } };
  if (isFile(content.type)) {
    const caption = 'caption' in content ? content.caption : undefined;
    return { media: [{ type: file?.mimeType ?? '', data: required(file) }], ...(caption ? { body: caption } : {}) };
  }
  return { body: textOf(message) };
}

function isFile(type: Content['type']): type is MediaKind {
  return type === 'image' || type === 'video' || type === 'audio' || type === 'file' || type === 'sticker';
}

function required(file: CustomerMessage['file']): Buffer {
  if (!file)
    throw new PatchbayError('invalid', 'the file is missing', { problems: [{ field: 'message', message: 'needs a stored file' }] });
  return file.data;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
