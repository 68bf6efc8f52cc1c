/** Facebook Messenger: the messages of a page. developers.facebook.com/docs/messenger-platform */
import { defineConnector } from '../../connector.ts';
import { webhookSetup } from '../setup.ts';
import { facebookCredentials as credentials, facebookInput, facebookSettings } from './account.ts';
import { checkOf, facebookCapabilities, pacing } from './capabilities.ts';
import { connectFacebook, disconnect, exploreFacebook } from './connect.ts';
import { readNative } from './content.ts';
import { healthOf } from './health.ts';
import { parserOf } from './parse.ts';
import { joined, partsOf } from './parts.ts';
import { facebookProfile, fetchMedia } from './people.ts';
import { senderOf } from './send.ts';
import { settlerOf } from './settle.ts';

export const facebook = defineConnector({
  source: 'facebook',
  title: 'Facebook Messenger',
  description: 'The messages that people write to a Facebook page.',
  category: 'messaging',
  guide: 'channels/messenger.md',
  look: {
    color: '#0866FF',
    icon: 'M12 2C6.4 2 2 6.1 2 11.6c0 2.9 1.2 5.4 3.1 7.1.2.2.3.4.3.6l.1 1.8c0 .6.6.9 1.1.7l2-.9c.2-.1.3-.1.5 0 .9.2 1.9.4 2.9.4 5.6 0 10-4.1 10-9.7S17.6 2 12 2Zm6 7.5-2.9 4.6c-.5.8-1.5.9-2.2.4l-2.3-1.7a.6.6 0 0 0-.7 0l-3.1 2.4c-.4.3-1-.2-.7-.6L9 10c.5-.8 1.5-.9 2.2-.4l2.3 1.7c.2.2.5.2.7 0l3.1-2.4c.4-.3 1 .2.7.6Z',
  },
  input: facebookInput,
  settings: facebookSettings,
  credentials,
  identity: { kind: 'psid', scoped: true },
  capabilities: facebookCapabilities,
  setup: (_channel, config) =>
    webhookSetup(
      config,
      'messages, messaging_postbacks, message_deliveries, message_reads, message_echoes, message_reactions, message_edits, messaging_referrals, messaging_optins, messaging_handovers',
    ),
  connect: connectFacebook,
  disconnect,
  account: (channel) => channel.settings.page_id,
  explore: exploreFacebook,
  health: healthOf(['pages_messaging', 'pages_manage_metadata']),
  parse: parserOf({ identity: 'psid' }),
  ...senderOf({ identity: 'psid', uploads: true, carriesOurId: true }),
  settle: settlerOf('messenger'),
  watermarks: true,
  parts: { of: partsOf, join: joined },
  pacing,
  check: checkOf({ title: 'Messenger' }),
  readNative,
  profile: facebookProfile,
  media: fetchMedia,
});
