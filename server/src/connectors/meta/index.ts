/** Everything of Meta's: WhatsApp, Messenger and Instagram, and the webhook that they share. */
import { defineProvider } from '../connector.ts';
import { metaHook } from './hook.ts';
import { facebook } from './messenger/facebook.ts';
import { instagram } from './messenger/instagram.ts';
import { standIn } from './stand-in.ts';
import { whatsapp } from './whatsapp/index.ts';

export const meta = defineProvider({
  name: 'meta',
  settings: /^META_/,
  connectors: [whatsapp, facebook, instagram],
  hooks: [metaHook],
  standIn,
});
