/** Google: Business Messages, and its successor RCS for Business. */
import { defineProvider } from '../connector.ts';
import { google as businessMessages } from './business-messages.ts';
import { hook } from './hook.ts';
import { rcs } from './rcs.ts';
import { standIn } from './stand-in.ts';

export { businessMessages, rcs };

export const google = defineProvider({
  name: 'google',
  settings: /^GOOGLE_/,
  connectors: [businessMessages, rcs],
  hooks: [hook],
  standIn,
});
