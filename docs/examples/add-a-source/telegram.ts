/** A bot on Telegram as a channel, with text only: https://core.telegram.org/bots/api */
import { createHash, timingSafeEqual } from 'node:crypto';
import Type from 'typebox';
import {
  type ConnectorContext,
  defineConnector,
  defineProvider,
  type Hook,
  type HookRequest,
} from '../../../server/src/connectors/connector.ts';
import { ProviderError, type ProviderErrorClass } from '../../../server/src/model/errors.ts';

const HOOK = '/hooks/telegram';
const SECRET_HEADER = 'x-telegram-bot-api-secret-token';

interface Answer<T> {
  ok: boolean;
  result?: T;
  error_code?: number;
  description?: string;
  parameters?: { retry_after?: number };
}

interface Update {
  message?: {
    message_id: number;
    date: number;
    chat: { id: number; type: string };
    from?: { first_name?: string; last_name?: string };
    text?: string;
  };
}

/** Calls the bot's API. Throws `ProviderError` with Telegram's own words. */
async function call<T>(method: string, token: string, body: object, context: ConnectorContext): Promise<T> {
  const base = context.config.get('TELEGRAM_API_URL') ?? 'https://api.telegram.org';
  const response = await context.http(`${base}/bot${token}/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (response.json() ?? {}) as Answer<T>;
  if (answer.ok && answer.result !== undefined) return answer.result;
  const words = answer.description ?? `Telegram answered with status ${response.status}`;
  throw new ProviderError(classOf(response.status, words), words, {
    code: String(answer.error_code ?? response.status),
    status: response.status,
    ...(answer.parameters?.retry_after ? { retryAfterMs: answer.parameters.retry_after * 1000 } : {}),
    ...(response.status === 401 ? { scope: 'channel', hint: 'Ask @BotFather for the current token.' } : {}),
    raw: answer,
  });
}

/** Everything above reads the class and never Telegram's codes. */
function classOf(status: number, words: string): ProviderErrorClass {
  if (status === 401 || status === 404) return 'unauthorized';
  if (status === 429) return 'rate-limited';
  if (status >= 500) return 'retry';
  if (status === 403 || /chat not found/i.test(words)) return 'recipient-unreachable';
  return 'rejected';
}

/** What Telegram sends along with every webhook of this bot. */
function webhookSecret(token: string): string {
  return createHash('sha256').update(`webhook ${token}`).digest('hex');
}

const telegram = defineConnector({
  source: 'telegram',
  title: 'Telegram',
  description: 'A bot that people write to on Telegram.',
  category: 'messaging',
  guide: 'channels/telegram.md',
  look: { color: '#229ED9', icon: 'M2 12l20-9-4 18-6-5-3 3-1-6 10-7-12 6z' },
  input: Type.Object({
    token: Type.String({ title: 'Token', description: 'From @BotFather', secret: true, examples: ['110201543:AAHdqTcvCH1vGWJxfSeofSAs'] }),
  }),
  settings: Type.Object({}),
  credentials: Type.Object({ token: Type.String({ secret: true }) }),
  identity: { kind: 'telegram', scoped: true },
  capabilities: {
    text: { max: 4096 },
    startsConversations: false,
    window: null,
    nodes: ['messaging', 'messaging.outgoing', 'messaging.incoming'],
  },
  pacing: { perSecond: 30, perRecipient: { burst: 3, everyMs: 1000 } },

  async connect({ token }, context) {
    const bot = await call<{ id: number; first_name: string; username: string }>('getMe', token, {}, context);
    const url = `${context.config.publicUrl}${HOOK}/${bot.id}`;
    await call('setWebhook', token, { url, secret_token: webhookSecret(token), allowed_updates: ['message'] }, context);
    return {
      sourceChannelId: String(bot.id),
      name: bot.first_name,
      settings: {},
      credentials: { token },
      details: { username: bot.username },
    };
  },

  async disconnect(channel, context) {
    await call('deleteWebhook', channel.credentials.token, {}, context);
  },

  async health(channel, context) {
    const hook = await call<{ url: string; last_error_message?: string }>('getWebhookInfo', channel.credentials.token, {}, context);
    const ours = `${context.config.publicUrl}${HOOK}/${channel.sourceChannelId}`;
    if (hook.url === ours) return { status: 'active' };
    return { status: 'warning', reason: `Telegram sends messages to ${hook.url || 'nobody'}: connect the channel again` };
  },

  parse(event) {
    const { message } = JSON.parse(event.body.toString('utf8')) as Update;
    if (message?.chat.type !== 'private') return [{ kind: 'ignored', reason: 'no message of a person' }];
    const name = [message.from?.first_name, message.from?.last_name].filter(Boolean).join(' ');
    return [
      {
        kind: 'message',
        direction: 'in',
        // Telegram counts messages for each chat anew.
        providerId: `${message.chat.id}:${message.message_id}`,
        contact: { identities: [{ kind: 'telegram', value: String(message.chat.id) }], ...(name ? { name } : {}) },
        content:
          message.text === undefined ? { type: 'unsupported', kind: 'a message without text' } : { type: 'text', text: message.text },
        payload: message,
        sentAt: new Date(message.date * 1000),
      },
    ];
  },

  async send(message, channel, context) {
    const chat = message.to.find(({ kind }) => kind === 'telegram')?.value;
    if (!chat) throw new ProviderError('recipient-unreachable', 'the contact has no chat with this bot', { scope: 'recipient' });
    if (message.content.type !== 'text') throw new ProviderError('rejected', `Telegram is not sent ${message.content.type} yet`);
    const body = { chat_id: Number(chat), text: message.content.text };
    const sent = await call<{ message_id: number }>('sendMessage', channel.credentials.token, body, context);
    return { providerId: `${chat}:${sent.message_id}`, payload: body };
  },
});

function botOf(request: HookRequest): string {
  return request.path.slice(HOOK.length + 1);
}

const hook: Hook = {
  path: `${HOOK}/*`,
  source: 'telegram',
  claims: (request) => [{ source: 'telegram', sourceChannelId: botOf(request) }],
  verify(request, { channels }) {
    const given = request.headers[SECRET_HEADER];
    if (given === undefined) return 'missing';
    const matches = channels.some(({ credentials }) => {
      const expected = Buffer.from(webhookSecret(String(credentials.token)));
      return expected.length === Buffer.byteLength(given) && timingSafeEqual(expected, Buffer.from(given));
    });
    return matches ? 'ok' : 'wrong';
  },
  unpack: (request) => [{ source: 'telegram', sourceChannelId: botOf(request), contentType: 'application/json', body: request.body }],
};

export const telegramProvider = defineProvider({ name: 'telegram', connectors: [telegram], hooks: [hook] });
