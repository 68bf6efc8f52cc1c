/** R2 for Meta: whatever goes wrong there, a message ends as sent once, or failed with a reason; the channel shows it and recovers. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { noFaults } from '../../../sandbox/meta/faults.ts';
import { createMetaSandbox } from '../../../sandbox/meta/index.ts';
import { checkHealth } from '../../src/engine/health.ts';
import { PatchbayError } from '../../src/model/errors.ts';
import { hookedEngine } from '../support/hooked-engine.ts';
import { until } from '../support/until.ts';

const NUMBER = '106540352242922';
const WABA = '102290129340398';
const meta = createMetaSandbox({
  appSecret: 'app-secret',
  appId: '77',
  tokens: [{ value: 'token' }],
  wabas: [
    { id: WABA, numbers: [{ id: NUMBER }], templates: [{ name: 'order_update', components: [{ type: 'BODY', text: 'Order {{1}}' }] }] },
  ],
  pages: [{ id: '555', instagram: { id: '17841', username: 'shop', name: 'Shop' } }],
});
const graph = await meta.app.listen({ port: 0, host: '127.0.0.1' });
afterAll(() => meta.app.close());
const { engine, workspaceId, rows, send, message, reaches, conversationOn } = await hookedEngine(async (url) => {
  meta.pointTo(`${url}/hooks/meta`);
  return { META_GRAPH_URL: graph, META_APP_ID: '77', META_APP_SECRET: 'app-secret', META_VERIFY_TOKEN: 'v' };
});

afterEach(async () => {
  Object.assign(meta.faults, noFaults());
  await meta.webhooks.settled();
});

const SOURCES = {
  whatsapp: { account: NUMBER, input: { phone_number_id: NUMBER, business_account_id: WABA, user_token: 'token' } },
  facebook: { account: '555', input: { page_id: '555', page_token: 'page-token-555' } },
  instagram: { account: '17841', input: { page_id: '555', page_token: 'page-token-555' } },
};
const refused = (code: number, status = 400) => ({ refusals: { code, message: `(#${code}) Refused`, status, left: 1 } });

describe.each(Object.entries(SOURCES))('%s', (source, { account, input }) => {
  const setup = (async () => {
    const channel = await engine.channels.connect({ workspaceId, source, input, sandbox: false, existing: 'reuse' });
    if (source === 'whatsapp') meta.whatsappCustomer(NUMBER, { phone: '491701234567', name: 'Ada' }).text('Hi');
    else meta.pageCustomer(account, `90${account}`).text('Hi');
    return { channel, conversation: await conversationOn(channel) };
  })();
  const sentTimes = (words: string) =>
    meta.state.sent.filter(({ from, body }) => from === account && JSON.stringify(body).includes(words)).length;

  it.each([
    ['is down', { outages: 1 }],
    ['is slow', { delayMs: 1_500 }],
    ['has trouble that passes', refused(2, 503)],
    ['wants us slower, by the app’s limit', refused(4, 400)],
    ['wants us slower, by its use case', refused(source === 'whatsapp' ? 80007 : source === 'facebook' ? 80006 : 80002)],
    ['wants us slower, by the account’s limit', refused(source === 'whatsapp' ? 130429 : 613, 429)],
    ['wants one recipient to wait', refused(source === 'whatsapp' ? 131056 : 32)],
    ['does not answer', { lostAnswers: 1 }],
    ['repeats and mixes up its webhooks', { duplicates: 2, holdWebhooks: source === 'whatsapp' ? 3 : 2, disorder: true }],
  ])('sends once when Meta %s', async (what, faults) => {
    const { conversation } = await setup;
    const words = `${source}, when it ${what}`;
    Object.assign(meta.faults, faults);
    const { id } = await send(conversation, words);
    await until(async () => ['sent', 'delivered', 'read'].includes((await message(id)).state), {
      timeoutMs: 30_000,
      what: `${words} sent`,
    });
    await meta.webhooks.settled();
    expect(sentTimes(words)).toBe(1);
    expect(await rows(`select 1 from messages where direction = 'out' and content ->> 'text' = $1`, [words])).toHaveLength(1);
  });

  it.each([
    ['the person cannot be reached', source === 'whatsapp' ? 131026 : 551, 'recipient-unreachable'],
    ['the content is wrong', 100, 'rejected'],
    ...(source === 'whatsapp' ? [['the window is closed after all', 131047, 'window-closed']] : []),
  ] as [string, number, string][])('fails with the reason when %s', async (_what, code, expected) => {
    const { conversation } = await setup;
    Object.assign(meta.faults, refused(code));
    const { id } = await send(conversation, `refused with ${code}`);
    const { error } = await reaches(id, 'failed');
    expect(error).toMatchObject({ class: expected, providerCode: String(code), message: expect.stringContaining('Refused') });
  });

  it('keeps what waits while the token is refused, says so, and goes on by itself afterwards', async () => {
    const { channel, conversation } = await setup;
    const words = `${source}, after the repair`;
    for (const token of meta.state.tokens.values()) token.valid = false;
    const { id } = await send(conversation, words);
    const broken = await until(async () => {
      const row = await engine.channels.get(workspaceId, channel.id);
      return row.status === 'failed' && row;
    });
    expect(broken.statusReason).toMatch(/token/i);
    expect(broken.lastError).toMatchObject({ class: 'unauthorized' });
    expect((await checkHealth(engine, workspaceId, channel.id)).status).toBe('failed');
    expect((await message(id)).state).toBe('pending');

    for (const token of meta.state.tokens.values()) token.valid = true;
    expect((await checkHealth(engine, workspaceId, channel.id)).status).toBe('active');
    engine.outbox.wake();
    await reaches(id, 'read');
    expect(sentTimes(words)).toBe(1);
    expect((await engine.channels.get(workspaceId, channel.id)).lastError).toBeNull();
  });

  // WhatsApp knows no tag: only a template goes out after its day.
  if (source === 'whatsapp') return;
  it('lets a person answer for seven days with the tag, and nobody longer', async () => {
    const { conversation } = await setup;
    const hours = (ago: number) =>
      rows(
        `update conversations set last_inbound_at = now() - make_interval(hours => $2), window_expires_at = now() - make_interval(hours => $2 - 24) where id = $1`,
        [conversation.conversationId, ago],
      );
    const refusal = (work: Promise<unknown>) =>
      work.then(
        () => expect.unreachable('was taken'),
        (error: PatchbayError) => error,
      );
    await hours(48);
    const early = await refusal(send(conversation, 'late'));
    expect([early.code, early.details.tag]).toEqual(['window-closed', 'HUMAN_AGENT']);
    const { id } = await send(conversation, `${source}, by a person`, { tag: 'HUMAN_AGENT' });
    await reaches(id, 'read');
    const { body } = meta.state.sent.findLast(({ from }) => from === account)!;
    expect(body).toMatchObject({ messaging_type: 'MESSAGE_TAG', tag: 'HUMAN_AGENT' });
    expect((await refusal(send(conversation, 'x', { tag: 'ACCOUNT_UPDATE' }))).problems[0]!.field).toBe('tag');
    await hours(8 * 24);
    expect((await refusal(send(conversation, 'too late', { tag: 'HUMAN_AGENT' }))).code).toBe('window-closed');
    await hours(0);
  });
});

describe('whatsapp', () => {
  const number = async () => (await engine.channels.list(workspaceId, { sources: ['whatsapp'] }))[0]!;

  it('shows that something is wrong with the account when Meta tells it with a message that failed later', async () => {
    const conversation = await conversationOn(await number());
    meta.faults.statuses = [];
    const { id } = await send(conversation, 'never paid for');
    const { providerId } = await reaches(id, 'sent');
    const error = { code: 131042, title: 'Business eligibility payment issue', error_data: { details: 'No valid payment method.' } };
    const status = {
      id: providerId,
      status: 'failed',
      timestamp: String(Math.floor(Date.now() / 1000)),
      recipient_id: '491701234567',
      errors: [error],
    };
    const value = { messaging_product: 'whatsapp', metadata: { phone_number_id: NUMBER }, statuses: [status] };
    meta.webhooks.emit({ object: 'whatsapp_business_account', entry: [{ id: WABA, changes: [{ field: 'messages', value }] }] });
    expect((await reaches(id, 'failed')).error).toMatchObject({
      providerCode: '131042',
      hint: expect.stringContaining('Business Manager'),
    });
    const row = await until(async () => {
      const found = await number();
      return found.status === 'failed' && found;
    });
    expect(row.statusReason).toContain('No valid payment method');
    expect((await checkHealth(engine, workspaceId, row.id)).status).toBe('active');
  });

  it('checks a template in Meta’s own shape like any other, and sends it outside the window', async () => {
    const channel = await number();
    const conversation = await conversationOn(channel);
    await rows(`update conversations set window_expires_at = now() - interval '1 hour' where id = $1`, [conversation.conversationId]);
    const template = (...texts: string[]) => ({
      type: 'native' as const,
      payload: {
        type: 'template',
        template: {
          name: 'order_update',
          language: { code: 'en_US' },
          components: [{ type: 'body', parameters: texts.map((text) => ({ type: 'text', text })) }],
        },
      },
    });
    const missing = await send(conversation, template()).catch((error: unknown) => error as PatchbayError);
    expect(missing).toBeInstanceOf(PatchbayError);
    expect((missing as PatchbayError).problems[0]).toEqual({ field: 'body.template', message: 'The body takes 1 value, and 0 given' });
    const { id } = await send(conversation, template('4711'));
    expect((await reaches(id, 'read')).content).toMatchObject({ type: 'native', text: 'Order 4711' });
  });

  it('takes more a second once Meta says that the number may', async () => {
    const channel = await number();
    const pacing = engine.channels.connectorOf('whatsapp').pacing as (view: unknown) => { perSecond: number };
    expect(pacing(engine.channels.view(channel)).perSecond).toBe(80);
    const value = { display_phone_number: '15550783881', event: 'THROUGHPUT_UPGRADE', current_limit: 'TIER_100K' };
    const time = Math.floor(Date.now() / 1000);
    meta.webhooks.emit({
      object: 'whatsapp_business_account',
      entry: [{ id: WABA, time, changes: [{ field: 'phone_number_quality_update', value }] }],
    });
    await until(async () => pacing(engine.channels.view(await number())).perSecond === 1000);
  });

  it('sends to somebody known by a business-scoped id alone', async () => {
    meta.whatsappCustomer(NUMBER, { userId: 'US.13491208655302741918', username: 'grace', name: 'Grace' }).text('No number here');
    const [row] = await until(async () => {
      const found = await rows(`select m.conversation_id as id from messages m where m.content ->> 'text' = 'No number here'`);
      return found.length > 0 && found;
    });
    const { id } = await send({ conversationId: row.id }, 'Hello Grace');
    await reaches(id, 'read');
    expect(meta.state.sent.findLast(({ body }) => JSON.stringify(body).includes('Hello Grace'))!.body).toMatchObject({
      recipient: 'US.13491208655302741918',
    });
  });
});
