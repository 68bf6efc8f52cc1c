/** Twilio's stand-in, and what its sandbox channels read in place of the installation's settings. */
import type { StandInDeclaration } from '../stand-in.ts';

export const STAND_IN_URL = 'http://twilio.sandbox.invalid';

/** Nobody outside can use this token: calls signed with it are taken from the stand-in alone. */
export const standIn: StandInDeclaration = {
  settings: {
    TWILIO_API_URL: STAND_IN_URL,
    TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
    TWILIO_AUTH_TOKEN: 'sandbox-auth-token',
  },
  origins: [STAND_IN_URL],
  load: async () => (await import('./simulation.ts')).simulate,
};
