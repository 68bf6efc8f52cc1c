/** Meta's stand-in, and what its sandbox channels read in place of the installation's settings. */
import type { StandInDeclaration } from '../stand-in.ts';

export const STAND_IN_URL = 'http://graph.sandbox.invalid';

/** Nobody outside can use these secrets: calls signed with them are taken from the stand-in alone. */
export const standIn: StandInDeclaration = {
  settings: {
    META_GRAPH_URL: STAND_IN_URL,
    META_INSTAGRAM_URL: STAND_IN_URL,
    META_INSTAGRAM_APP_SECRET: 'sandbox-app-secret',
    META_APP_ID: '1000000000000001',
    META_APP_SECRET: 'sandbox-app-secret',
    META_VERIFY_TOKEN: 'sandbox-verify-token',
  },
  origins: [STAND_IN_URL],
  load: async () => (await import('./simulation.ts')).simulate,
};
