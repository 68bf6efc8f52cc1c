/**
 * Instagram Direct: the messages to a professional account that is linked to a Facebook page.
 * developers.facebook.com/docs/messenger-platform/instagram
 */
import { defineConnector } from '../../connector.ts';
import { webhookSetup } from '../setup.ts';
import { instagramCredentials as credentials, instagramInput, instagramSettings, nodeOf } from './account.ts';
import { checkOf, instagramCapabilities, pacing } from './capabilities.ts';
import { connectInstagram, disconnect, exploreInstagram } from './connect.ts';
import { readNative } from './content.ts';
import { healthOf } from './health.ts';
import { parserOf } from './parse.ts';
import { joined, partsOf } from './parts.ts';
import { fetchMedia, instagramProfile } from './people.ts';
import { senderOf } from './send.ts';
import { settlerOf } from './settle.ts';

export const instagram = defineConnector({
  source: 'instagram',
  title: 'Instagram',
  description: 'Direct messages, story replies and mentions of an Instagram professional account.',
  category: 'messaging',
  guide: 'channels/instagram.md',
  look: {
    color: '#E4405F',
    icon: 'M7.8 2h8.4A5.8 5.8 0 0 1 22 7.8v8.4a5.8 5.8 0 0 1-5.8 5.8H7.8A5.8 5.8 0 0 1 2 16.2V7.8A5.8 5.8 0 0 1 7.8 2Zm-.2 2A3.6 3.6 0 0 0 4 7.6v8.8A3.6 3.6 0 0 0 7.6 20h8.8a3.6 3.6 0 0 0 3.6-3.6V7.6A3.6 3.6 0 0 0 16.4 4H7.6Zm9.7 1.5a1.2 1.2 0 1 1 0 2.5 1.2 1.2 0 0 1 0-2.5ZM12 7a5 5 0 1 1 0 10 5 5 0 0 1 0-10Zm0 2a3 3 0 1 0 0 6 3 3 0 0 0 0-6Z',
  },
  input: instagramInput,
  settings: instagramSettings,
  credentials,
  identity: { kind: 'igsid', scoped: true },
  capabilities: instagramCapabilities,
  setup: (_channel, config) =>
    webhookSetup(config, 'messages, messaging_postbacks, messaging_seen, message_reactions, messaging_referral, message_edit, standby'),
  connect: connectInstagram,
  disconnect,
  account: (channel) => nodeOf(channel),
  explore: exploreInstagram,
  health: healthOf(['instagram_basic', 'instagram_manage_messages', 'pages_manage_metadata']),
  parse: parserOf({ identity: 'igsid' }),
  ...senderOf({ identity: 'igsid', uploads: false, carriesOurId: false, onlyReaction: 'love' }),
  settle: settlerOf('instagram'),
  watermarks: true,
  parts: { of: partsOf, join: joined },
  pacing,
  check: checkOf({ title: 'Instagram', textBytes: 1000 }),
  readNative,
  profile: instagramProfile,
  media: fetchMedia,
});
