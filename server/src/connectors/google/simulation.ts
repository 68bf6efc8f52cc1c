/** How what Google's sandbox channels say becomes agents of the stand-in, and what their customers write. Loaded by stand-in.ts alone. */
import { randomUUID } from 'node:crypto';
import { inProcess } from '../../../../sandbox/common/in-process.ts';
import { createGoogleSandbox } from '../../../../sandbox/google/index.ts';
import { type StandIn, type StandInParts, textOf, wordsOf } from '../stand-in.ts';
import { STAND_IN_URL, standInKeys } from './stand-in.ts';

export function simulate({ config, deliver }: StandInParts): StandIn {
  const agents: Record<string, { clientToken: string }> = {};
  const google = createGoogleSandbox({
    keys: standInKeys(),
    partnerKey: config.require('GOOGLE_PARTNER_KEY'),
    agents,
    deliver: ({ headers, body }) => deliver('/hooks/google', headers, body),
  });

  return {
    http: inProcess({ [STAND_IN_URL]: google.app }),

    prepare(source, input) {
      if (source === 'rcs') agents[textOf(input.agent_id).trim()] = { clientToken: textOf(input.client_token) };
    },

    adopt(source, { sourceChannelId, credentials }) {
      if (source === 'rcs') agents[sourceChannelId] = { clientToken: textOf(credentials.client_token) };
    },

    async customerWrites(source, { sourceChannelId }, message) {
      const messageId = randomUUID();
      const text = wordsOf(message);
      if (source === 'rcs') await google.rcs(sourceChannelId, { senderPhoneNumber: message.from, messageId, text });
      else {
        await google.businessMessages({
          agent: sourceChannelId,
          conversationId: message.from,
          context: { userInfo: { displayName: message.name ?? 'Customer' } },
          message: { messageId, text, createTime: new Date().toISOString() },
        });
      }
      return messageId;
    },

    async close() {
      await google.app.close();
    },
  };
}
