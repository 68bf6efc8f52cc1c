/** WhatsApp Cloud API. developers.facebook.com/docs/whatsapp/cloud-api */
import { defineConnector } from '../../connector.ts';
import { webhookSetup } from '../setup.ts';
import { record } from '../values.ts';
import { credentials, input, settings, wabaOf } from './account.ts';
import { capabilities, check, pacing } from './capabilities.ts';
import { connect, disconnect, explore } from './connect.ts';
import { contentOf } from './content.ts';
import { health } from './health.ts';
import { fetchMedia } from './media.ts';
import { parse } from './parse.ts';
import { markRead, react, send, typing } from './send.ts';
import { templates } from './templates.ts';

export const whatsapp = defineConnector({
  source: 'whatsapp',
  title: 'WhatsApp',
  description: 'A number on Meta’s WhatsApp Cloud API: messages, media, templates and receipts.',
  category: 'messaging',
  guide: 'channels/whatsapp.md',
  look: {
    color: '#25D366',
    icon: 'M12 2a10 10 0 0 0-8.6 15.1L2 22l5-1.3A10 10 0 1 0 12 2Zm0 18.2a8.2 8.2 0 0 1-4.2-1.2l-.3-.1-3 .8.8-2.9-.2-.3A8.2 8.2 0 1 1 12 20.2Zm4.5-6.1c-.2-.2-1.5-.8-1.7-.8-.2-.1-.4-.1-.6.1l-.8 1c-.1.2-.3.2-.5.1a6.7 6.7 0 0 1-3.3-2.9c-.3-.4.2-.4.7-1.3v-.5l-.8-1.9c-.2-.5-.4-.4-.6-.4h-.5a1 1 0 0 0-.7.3 3 3 0 0 0-.9 2.2c0 1.3.9 2.5 1.1 2.7.1.2 1.8 2.8 4.5 3.9 1.7.7 2.3.8 3.1.6.5 0 1.5-.6 1.7-1.2.2-.6.2-1.1.2-1.2l-.6-.3Z',
  },
  input,
  settings,
  credentials,
  identity: { kind: 'phonenumber', scoped: false },
  capabilities,
  setup: (_channel, config) =>
    webhookSetup(
      config,
      'messages, message_template_status_update, message_template_quality_update, message_template_components_update, template_category_update, phone_number_quality_update, phone_number_name_update, account_update, account_review_update, account_alerts, business_capability_update, user_preferences, security, smb_message_echoes, history, smb_app_state_sync',
    ),
  connect,
  disconnect,
  account: (channel) => wabaOf(channel) ?? channel.sourceChannelId,
  explore,
  health,
  parse,
  send,
  pacing,
  repeatsOthersOnly: true,
  check,
  readNative: (payload) => {
    const content = contentOf(record(payload) ?? {});
    return content.type === 'unsupported' ? undefined : content;
  },
  react,
  markRead,
  typing,
  templates,
  media: fetchMedia,
});
