/** How what Meta's sandbox channels say becomes accounts of the stand-in, and what their customers write. Loaded by stand-in.ts alone. */
import { inProcess } from '../../../../sandbox/common/in-process.ts';
import { createMetaSandbox, type MetaSandbox } from '../../../../sandbox/meta/index.ts';
import { newTemplate } from '../../../../sandbox/meta/state.ts';
import type { ProviderTemplate } from '../connector.ts';
import {
  bytesOf,
  type CustomerMessage,
  cannotWrite,
  isFile,
  isRefused,
  type StandIn,
  type StandInParts,
  textOf,
  wordsOf,
} from '../stand-in.ts';
import { STAND_IN_URL } from './stand-in.ts';

type Known = Record<string, unknown>;

export function simulate({ config, deliver }: StandInParts): StandIn {
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

  function token(given: unknown): void {
    const value = textOf(given);
    if (value && !isRefused(value) && !meta.state.tokens.has(value)) meta.state.addToken({ value });
  }

  function number(input: Known, templates: ProviderTemplate[] = []): void {
    const digits = textOf(input.display_number ?? input.phone_number).replace(/\D/g, '');
    const id = textOf(input.phone_number_id) || (digits ? `10${digits}` : '');
    if (!id) return;
    const wabaId = textOf(input.waba_id ?? input.business_account_id) || `20${id}`;
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
    const value = textOf(input.access_token);
    const id = textOf(input.account_id) || `178${value.replace(/\D/g, '').padEnd(6, '0')}`;
    if (value && !isRefused(value) && !meta.state.page(id)) {
      meta.state.addInstagramAccount({ id, username: 'sandbox', name: 'Sandbox on Instagram', token: value });
    }
  }

  function page(input: Known): void {
    const id = textOf(input.page_id);
    if (!id || meta.state.page(id)) return;
    const instagram = { id: textOf(input.account_id) || `178${id}`, username: 'sandbox', name: 'Sandbox on Instagram' };
    const made = { id, name: 'Sandbox page', token: `page-token-${id}`, subscribedFields: undefined, instagram };
    meta.state.pages.push(made);
    meta.state.addToken({ value: made.token, reaches: [id, instagram.id] });
  }

  return {
    http: inProcess({ [STAND_IN_URL]: meta.app }),

    prepare(source, input) {
      for (const value of [input.user_token, input.api_key, input.access_token, input.page_token, input.token]) token(value);
      if (source === 'whatsapp') number(input);
      else page(input);
      if (source === 'instagram' && !textOf(input.page_id)) instagramAccount(input);
    },

    adopt(source, { sourceChannelId, settings, credentials, details }, templates) {
      token(credentials.access_token);
      if (source === 'whatsapp') {
        number({ ...details, ...settings, phone_number_id: sourceChannelId }, templates);
        const waba = meta.state.number(sourceChannelId)?.waba;
        if (waba) waba.subscribed = true;
        return;
      }
      if (settings.login === 'instagram') instagramAccount({ ...settings, ...credentials });
      else page(settings);
      const own = meta.state.page(textOf(settings.page_id) || textOf(settings.account_id));
      if (own) own.subscribedFields ??= ['messages'];
    },

    async customerWrites(source, { sourceChannelId }, message) {
      const { from, name } = message;
      const id =
        source === 'whatsapp'
          ? meta
              .whatsappCustomer(sourceChannelId, { phone: from.replace(/\D/g, ''), ...(name ? { name } : {}) })
              .write(whatsappMessage(message, meta.state))
          : meta.pageCustomer(sourceChannelId, from).write(pageMessage(message));
      await meta.webhooks.settled();
      return id;
    },

    async close() {
      await meta.app.close();
    },
  };
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

function whatsappMessage(message: CustomerMessage, state: MetaSandbox['state']): Record<string, unknown> {
  const { content, file } = message;
  switch (content.type) {
    case 'text':
      return { type: 'text', text: { body: content.text } };
    case 'image':
    case 'video':
    case 'audio':
    case 'file':
    case 'sticker': {
      const type = content.type === 'file' ? 'document' : content.type;
      const stored = state.store(bytesOf(message), file!.mimeType);
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
      throw cannotWrite(content);
  }
}

function pageMessage(message: CustomerMessage): Record<string, unknown> {
  const { content } = message;
  if (content.type === 'native') return content.payload as Record<string, unknown>;
  if (content.type === 'reply') return { text: content.title, quick_reply: { payload: content.payload } };
  if (isFile(content.type) && 'media' in content && content.media?.url) {
    return { attachments: [{ type: content.type, payload: { url: content.media.url } }] };
  }
  return { text: wordsOf(message) };
}
