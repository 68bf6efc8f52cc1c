/** How what Twilio's sandbox channels say becomes numbers of the stand-in, and what their customers write. Loaded by stand-in.ts alone. */
import { inProcess } from '../../../../sandbox/common/in-process.ts';
import { createTwilioSandbox } from '../../../../sandbox/twilio/index.ts';
import type { ChannelView } from '../connector.ts';
import { bytesOf, type CustomerMessage, isFile, type StandIn, type StandInParts, textOf, wordsOf } from '../stand-in.ts';
import { STAND_IN_URL } from './stand-in.ts';

export function simulate({ config, deliver }: StandInParts): StandIn {
  const twilio = createTwilioSandbox({
    accountSid: config.require('TWILIO_ACCOUNT_SID'),
    authToken: config.require('TWILIO_AUTH_TOKEN'),
    open: true,
    anytime: true,
    post: async (url, headers, body) => {
      const { pathname, search } = new URL(url);
      return (await deliver(pathname + search, headers, body)).status;
    },
  });

  function accountOf({ credentials }: ChannelView): string {
    return textOf(credentials.account_sid) || config.require('TWILIO_ACCOUNT_SID');
  }

  return {
    http: inProcess({ [STAND_IN_URL]: twilio.app }),

    // Its accounts take every number.
    prepare: () => undefined,

    adopt(_source, channel) {
      twilio.point(accountOf(channel), channel.sourceChannelId, `${config.publicUrl.replace(/\/+$/, '')}/hooks/twilio`);
    },

    async customerWrites(source, channel, message) {
      const prefix = source === 'twilio.whatsapp' ? 'whatsapp:' : '';
      const customer = twilio.customerOf(accountOf(channel)) ?? twilio.customer;
      const bare = message.from.replace(/^whatsapp:/, '');
      const { message: written } = await customer.writes({
        from: `${prefix}${bare.startsWith('+') ? bare : `+${bare}`}`,
        to: channel.sourceChannelId,
        mediaBase: STAND_IN_URL,
        ...(message.name ? { profileName: message.name } : {}),
        ...parametersOf(message),
      });
      return written.sid;
    },

    async close() {
      await twilio.app.close();
    },
  };
}

function parametersOf(message: CustomerMessage) {
  const { content, file } = message;
  if (content.type === 'location') return { location: { latitude: content.latitude, longitude: content.longitude } };
  if (content.type === 'reply') return { button: { text: content.title, payload: content.payload } };
  if (isFile(content.type)) {
    const caption = 'caption' in content ? content.caption : undefined;
    return { media: [{ type: file?.mimeType ?? '', data: bytesOf(message) }], ...(caption ? { body: caption } : {}) };
  }
  return { body: wordsOf(message) };
}
