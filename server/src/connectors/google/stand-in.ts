/** Google's stand-in, and what its sandbox channels read in place of the installation's settings. */
import { generateKeyPairSync } from 'node:crypto';
import type { StandInDeclaration } from '../stand-in.ts';

export const STAND_IN_URL = 'http://google.sandbox.invalid';

let keys: { publicKey: string; privateKey: string } | undefined;

/** The service account's, for the life of this process. */
export function standInKeys(): { publicKey: string; privateKey: string } {
  keys ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return keys;
}

/** Nobody outside can use these secrets: calls signed with them are taken from the stand-in alone. */
export const standIn: StandInDeclaration = {
  settings: {
    GOOGLE_BUSINESS_MESSAGES_URL: STAND_IN_URL,
    GOOGLE_RCS_URL: STAND_IN_URL,
    GOOGLE_PARTNER_KEY: 'sandbox-partner-key',
    GOOGLE_SERVICE_ACCOUNT: () =>
      JSON.stringify({
        type: 'service_account',
        client_email: 'patchbay@sandbox.iam.gserviceaccount.com',
        private_key: standInKeys().privateKey,
        private_key_id: 'k1',
        token_uri: `${STAND_IN_URL}/token`,
      }),
  },
  origins: [STAND_IN_URL],
  load: async () => (await import('./simulation.ts')).simulate,
};
