/** Mail: the source `email` and the addresses that Microsoft and Google call. */
import { defineProvider } from '../connector.ts';
import { createEmailConnector } from './connector.ts';
import { gmailHook, microsoftHook } from './hooks.ts';

export const email = defineProvider({
  name: 'email',
  settings: /^(GOOGLE|GMAIL|MICROSOFT)_/,
  connectors: [createEmailConnector()],
  hooks: [microsoftHook, gmailHook],
});
