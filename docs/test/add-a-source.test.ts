import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONFIG_VARIABLES } from '../../server/src/config.ts';
import { httpUrl } from '../../server/src/config-checks.ts';
import { PROVIDERS, Registry } from '../../server/src/connectors/registry.ts';
import { type TestApi, testApi } from '../../server/test/support/api.ts';
import { until } from '../../server/test/support/until.ts';
import { telegramProvider } from '../examples/add-a-source/telegram.ts';

const TOKEN = '4242:secret';

/** As much of Telegram as the example needs. */
const telegram = Fastify();
const calls: { method: string; body: Record<string, unknown> }[] = [];
let blocked = false;
telegram.post<{ Params: { bot: string; method: string }; Body: Record<string, unknown> }>('/:bot/:method', async (request, reply) => {
  const { bot, method } = request.params;
  if (bot !== `bot${TOKEN}`) return reply.code(401).send({ ok: false, error_code: 401, description: 'Unauthorized' });
  calls.push({ method, body: request.body });
  if (method === 'getMe') return { ok: true, result: { id: 4242, first_name: 'Example Bot', username: 'example_bot' } };
  if (method !== 'sendMessage') return { ok: true, result: true };
  if (blocked) return reply.code(403).send({ ok: false, error_code: 403, description: 'Forbidden: bot was blocked by the user' });
  return { ok: true, result: { message_id: 100 + calls.length } };
});

let api: TestApi;
beforeAll(async () => {
  const address = await telegram.listen({ port: 0, host: '127.0.0.1' });
  CONFIG_VARIABLES.push({ name: 'TELEGRAM_API_URL', meaning: 'base of the Bot API', check: httpUrl });
  api = await testApi({ TELEGRAM_API_URL: address }, { registry: new Registry([...PROVIDERS, telegramProvider]) });
});
afterAll(async () => {
  CONFIG_VARIABLES.splice(
    CONFIG_VARIABLES.findIndex(({ name }) => name === 'TELEGRAM_API_URL'),
    1,
  );
  await telegram.close();
});

const inWorkspace = (path: string) => `/workspaces/${api.workspaceId}${path}`;

function update(id: number, text: string) {
  const from = { id: 7, first_name: 'Ada', last_name: 'Lovelace' };
  return { update_id: id, message: { message_id: id, date: 1_700_000_000 + id, chat: { id: 7, type: 'private' }, from, text } };
}

/** Telegram calls in, with the secret that `connect` registered. */
function webhook(body: unknown, secret = String(calls.find(({ method }) => method === 'setWebhook')!.body.secret_token)) {
  return api.app.inject({
    method: 'POST',
    url: '/hooks/telegram/4242',
    headers: { 'x-telegram-bot-api-secret-token': secret },
    payload: body as object,
  });
}

describe('the source of the guide', () => {
  it('is refused with a wrong token, in the words of Telegram', async () => {
    const answer = await api.call('POST', inWorkspace('/channels'), { source: 'telegram', input: { token: 'wrong' } });
    expect(answer).toMatchObject({ status: 422, body: { code: 'providerRefused', message: expect.stringContaining('Unauthorized') } });
  });

  it('takes messages in once, and none that is not signed', async () => {
    const connected = await api.call('POST', inWorkspace('/channels'), { source: 'telegram', input: { token: TOKEN } });
    expect(connected).toMatchObject({ status: 201, body: { name: 'Example Bot', status: 'active', identifier: '4242' } });
    expect(JSON.stringify(connected.body)).not.toContain(TOKEN);
    expect((await webhook(update(1, 'Hello'))).statusCode).toBe(200);
    expect((await webhook(update(1, 'Hello'))).statusCode).toBe(200);
    expect((await webhook(update(2, 'Forged'), 'guess')).statusCode).toBe(403);
    const { body } = await api.call('GET', inWorkspace('/conversations'));
    expect(body.results).toMatchObject([{ contact: { computedDisplayName: 'Ada Lovelace' }, unreadCount: 1 }]);
  });

  it('sends answers, and says why one was not taken', async () => {
    const { body } = await api.call('GET', inWorkspace('/conversations'));
    const messages = inWorkspace(`/conversations/${body.results[0].id}/messages`);
    const say = (text: string) => api.call('POST', messages, { body: { type: 'text', text: { text } } });
    const newest = async () => (await api.call('GET', messages)).body.results[0];
    expect((await say('Hi Ada')).status).toBe(202);
    await until(async () => (await newest()).state === 'sent', { what: 'the answer to be sent' });
    expect(calls.at(-1)).toEqual({ method: 'sendMessage', body: { chat_id: 7, text: 'Hi Ada' } });
    blocked = true;
    await say('Are you there?');
    await until(async () => (await newest()).state === 'failed', { what: 'the answer to be refused' });
    expect((await newest()).error).toMatchObject({
      class: 'recipient-unreachable',
      message: expect.stringContaining('blocked by the user'),
    });
  });
});
