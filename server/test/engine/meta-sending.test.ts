import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { whatsappWebhook } from '../../../sandbox/meta/customer.ts';
import { noFaults } from '../../../sandbox/meta/faults.ts';
import { createMetaSandbox } from '../../../sandbox/meta/index.ts';
import { farewellSayer } from '../../src/engine/farewells.ts';
import { syncTemplates } from '../../src/engine/templates.ts';
import type { Content } from '../../src/model/content.ts';
import { PatchbayError } from '../../src/model/errors.ts';
import { hookedEngine } from '../support/hooked-engine.ts';
import { until } from '../support/until.ts';

const NUMBER = '106540352242922';
const meta = createMetaSandbox({
  appSecret: 'app-secret',
  appId: '77',
  tokens: [{ value: 'token' }],
  wabas: [
    {
      id: '102290129340398',
      numbers: [{ id: NUMBER }],
      templates: [
        { name: 'order_update', language: 'en_US', components: [{ type: 'BODY', text: 'Order {{1}} is on its way' }] },
        { name: 'summer_sale', language: 'en_US', status: 'PAUSED' },
      ],
    },
  ],
  pages: [{ id: '555', instagram: { id: '17841', username: 'shop', name: 'Shop' } }],
});
const graph = await meta.app.listen({ port: 0, host: '127.0.0.1' });
afterAll(() => meta.app.close());
const { engine, workspaceId, rows, send, message, reaches, conversationOn } = await hookedEngine(async (url) => {
  meta.pointTo(`${url}/hooks/meta`);
  return { META_GRAPH_URL: graph, META_APP_ID: '77', META_APP_SECRET: 'app-secret', META_VERIFY_TOKEN: 'v' };
});
const connect = (source: string, input: Record<string, unknown>) =>
  engine.channels.connect({ workspaceId, source, input, sandbox: false, existing: 'reuse' });
const whatsapp = await connect('whatsapp', { phone_number_id: NUMBER, business_account_id: '102290129340398', user_token: 'token' });
const customer = meta.whatsappCustomer(NUMBER, { phone: '491701234567', name: 'Ada' });
customer.text('Hello');
const conversation = await conversationOn(whatsapp);
const wordsOf = (body: Record<string, unknown>) => (body.text as { body?: string } | undefined)?.body;
const sentTimes = (text: string) => meta.state.sent.filter(({ body }) => wordsOf(body) === text).length;

afterEach(async () => {
  Object.assign(meta.faults, noFaults());
  await meta.webhooks.settled();
});

describe('a provider in trouble', () => {
  it('is down: the message is tried again, and sent once', async () => {
    meta.faults.outages = 1;
    const { id } = await send(conversation, 'after an outage');
    await reaches(id, 'read');
    expect(sentTimes('after an outage')).toBe(1);
  });

  it('asks to go slower: the message waits, and is sent once', async () => {
    meta.faults.refusals = { code: 130429, message: '(#130429) Rate limit hit', status: 429, left: 1 };
    const { id } = await send(conversation, 'after a limit');
    await reaches(id, 'read');
    expect(sentTimes('after a limit')).toBe(1);
  });

  it('holds one recipient back: the others go on', async () => {
    const other = meta.whatsappCustomer(NUMBER, { phone: '491709999999' });
    other.text('Me too');
    const theirs = await until(async () => {
      const found = await rows('select id from conversations where channel_id = $1 and id <> $2', [
        whatsapp.id,
        conversation.conversationId,
      ]);
      return found[0] && { conversationId: found[0].id as string };
    });
    meta.faults.refusals = { code: 131056, message: '(#131056) Pair rate limit hit', status: 400, left: 1 };
    const first = await send(conversation, 'held back');
    await until(() => meta.faults.refusals!.left === 0);
    const second = await send(theirs, 'not held back');
    await reaches(second.id, 'read');
    expect((await message(first.id)).state).toBe('pending');
    await reaches(first.id, 'read');
  });

  it('answers too late: the status webhook settles what nobody answered, and nothing is sent twice', async () => {
    meta.faults.lostAnswers = 1;
    const { id } = await send(conversation, 'lost answer');
    const settled = await reaches(id, 'read');
    expect(settled.providerId).toMatch(/^wamid/);
    expect(sentTimes('lost answer')).toBe(1);
  });

  it('never tells: the message is unknown, is asked about again, and after a day it has failed with a reason', async () => {
    meta.faults.lostAnswers = 1;
    meta.faults.statuses = [];
    const { id } = await send(conversation, 'never told');
    await reaches(id, 'unknown');
    await rows(`update unsettled set run_at = now(), called_at = now() - interval '25 hours' where message_id = $1`, [id]);
    const failed = await reaches(id, 'failed');
    expect(failed.error?.message).toMatch(/never told whether it took the message/);
    expect(sentTimes('never told')).toBe(1);
  });

  it('was being called when an earlier process died: nobody knows, so it is not called again', async () => {
    const { id } = await send(conversation, 'interrupted', { sendAt: new Date(Date.now() + 3_600_000) });
    await rows(
      `update outbox set run_at = now(), call_started_at = now() - interval '2 minutes', leased_until = now() - interval '1 minute' where message_id = $1`,
      [id],
    );
    engine.outbox.wake();
    expect((await reaches(id, 'unknown')).metadata.unknownBecause).toMatch(/ended while the provider was being called/);
    expect(sentTimes('interrupted')).toBe(0);

    const onPhone = customer.answeredOnPhone('interrupted');
    await until(async () => (await rows('select 1 from messages where provider_id = $1', [onPhone])).length === 1);
    expect((await message(id)).state, 'what somebody wrote on the phone is not ours').toBe('unknown');
  });

  it('refuses the token: the channel says so, messages wait, and go on by themselves after the repair', async () => {
    meta.state.tokens.get('token')!.valid = false;
    for (const token of meta.state.tokens.values()) token.valid = false;
    const { id } = await send(conversation, 'waits for a token');
    const broken = await until(async () => {
      const row = await engine.channels.get(workspaceId, whatsapp.id);
      return row.status === 'failed' && row;
    });
    expect(broken.statusReason).toMatch(/token/i);
    expect((await message(id)).state).toBe('pending');
    for (const token of meta.state.tokens.values()) token.valid = true;
    await connect('whatsapp', { phone_number_id: NUMBER, business_account_id: '102290129340398', user_token: 'token' });
    await reaches(id, 'read');
    expect(sentTimes('waits for a token')).toBe(1);
    expect((await engine.channels.get(workspaceId, whatsapp.id)).status).toBe('active');
  });

  it('limits the sender for spam: this message fails with the reason, the next ones wait', async () => {
    meta.faults.refusals = { code: 131048, message: '(#131048) Spam rate limit hit', status: 400, left: 1 };
    const first = await send(conversation, 'spam');
    expect((await reaches(first.id, 'failed')).error?.hint).toMatch(/blocked or reported/);
    const second = await send(conversation, 'after spam');
    const [{ paused, status }] = await rows('select paused_until > now() as paused, status from channels where id = $1', [whatsapp.id]);
    expect({ paused, status }).toEqual({ paused: true, status: 'warning' });
    await rows('update channels set paused_until = null where id = $1', [whatsapp.id]);
    engine.outbox.wake();
    await reaches(second.id, 'read');
    await until(async () => (await engine.channels.get(workspaceId, whatsapp.id)).status === 'active');
  });
});

describe('receipts', () => {
  it('come repeated and out of order, and the message still only moves forward', async () => {
    Object.assign(meta.faults, { duplicates: 2, holdWebhooks: 3, disorder: true });
    const { id } = await send(conversation, 'disorder');
    await reaches(id, 'read');
    await meta.webhooks.settled();
    expect((await message(id)).state).toBe('read');
    expect(await rows(`select 1 from messages where content ->> 'text' = 'disorder'`)).toHaveLength(1);
  });

  it.each(['facebook', 'instagram'])('%s echoes what we send, and it is never shown twice', async (source) => {
    const channel = await connect(source, { page_id: '555', page_token: 'page-token-555' });
    meta.pageCustomer(source === 'facebook' ? '555' : '17841', '9001').text('Hi');
    const theirs = await conversationOn(channel);
    for (let n = 0; n < 5; n++) await send(theirs, `echoed ${n}`);
    await until(
      async () =>
        (await rows(`select 1 from messages where channel_id = $1 and provider_id is not null and direction = 'out'`, [channel.id]))
          .length === 5,
    );
    await meta.webhooks.settled();
    expect(await rows(`select 1 from messages where channel_id = $1 and direction = 'out'`, [channel.id])).toHaveLength(5);
  });
});

it('a page stays subscribed until neither its Facebook nor its Instagram channel needs it', async () => {
  const facebook = await connect('facebook', { page_id: '555', page_token: 'page-token-555' });
  const instagram = await connect('instagram', { page_id: '555', page_token: 'page-token-555' });
  await engine.channels.disconnect(workspaceId, facebook.id);
  expect(meta.state.page('555')!.subscribedFields).toBeDefined();
  await engine.channels.disconnect(workspaceId, instagram.id);
  expect(meta.state.page('555')!.subscribedFields).toBeUndefined();
});

it('a disconnect that the provider refuses for its credentials is not repeated', async () => {
  const facebook = await connect('facebook', { page_id: '555', page_token: 'page-token-555' });
  for (const token of meta.state.tokens.values()) token.valid = false;
  await engine.channels.disconnect(workspaceId, facebook.id);
  for (const token of meta.state.tokens.values()) token.valid = true;
  expect(await rows('select 1 from farewells')).toHaveLength(0);
});

it('a disconnect whose process ends before the provider was told is told later', async () => {
  const facebook = await connect('facebook', { page_id: '555', page_token: 'page-token-555' });
  const ended = vi.spyOn(engine.channels.connectorOf('facebook'), 'disconnect').mockImplementation(async () => {
    expect(await rows('select 1 from farewells where channel_id = $1', [facebook.id])).toHaveLength(1);
    throw new Error('the process ended here');
  });
  await expect(engine.channels.disconnect(workspaceId, facebook.id)).rejects.toThrow('ended here');
  ended.mockRestore();
  expect(meta.state.page('555')!.subscribedFields).toBeDefined();
  await rows('update farewells set run_at = now() where channel_id = $1', [facebook.id]);
  const next = farewellSayer(engine);
  next.start();
  await until(async () => (await rows('select 1 from farewells where channel_id = $1', [facebook.id])).length === 0);
  await next.stop();
  expect(meta.state.page('555')!.subscribedFields).toBeUndefined();
});

describe('the service window', () => {
  const closed = (): Promise<unknown> =>
    rows(`update conversations set window_expires_at = now() - interval '1 hour' where id = $1`, [conversation.conversationId]);
  const refusal = (work: Promise<unknown>): Promise<PatchbayError> =>
    work.then(
      () => expect.unreachable('was taken'),
      (error) => {
        if (error instanceof PatchbayError) return error;
        throw error;
      },
    );

  it('counts from the provider’s own time', async () => {
    const [row] = await rows(
      `select c.window_expires_at - m.sent_at as length from conversations c join messages m on m.conversation_id = c.id and m.direction = 'in'
       where c.id = $1`,
      [conversation.conversationId],
    );
    expect(row.length).toMatchObject({ days: 1 });
  });

  it('refuses free messages before the call, and names the templates that may be sent', async () => {
    await syncTemplates(engine, whatsapp);
    await closed();
    const error = await refusal(send(conversation, 'too late'));
    expect(error.code).toBe('window-closed');
    expect(error.details.templates).toEqual([{ name: 'order_update', language: 'en_US' }]);
    expect(sentTimes('too late')).toBe(0);
  });

  const template = (name: string, ...values: string[]): Content => ({
    type: 'template',
    name,
    language: 'en_US',
    components: [{ type: 'body', parameters: values.map((text) => ({ type: 'text', text })) }],
  });

  it('lets a template through, with what the customer reads kept', async () => {
    const { id } = await send(conversation, template('order_update', '4711'));
    const sent = await reaches(id, 'read');
    expect(sent.content).toMatchObject({ type: 'template', preview: 'Order 4711 is on its way' });
  });

  it.each([
    ['a value is missing', template('order_update')],
    ['it is paused', template('summer_sale')],
    ['it does not exist', template('no_such_template', '1')],
  ])('refuses a template when %s', async (_why, content) => {
    const error = await refusal(send(conversation, content));
    expect(error.code).toBe('invalid');
    expect(error.problems[0]!.field).toBe('body.template');
  });

  it('shows in a dry run what would happen, and writes nothing', async () => {
    await closed();
    const before = await rows('select count(*) from messages');
    const preview = await engine.sender.preview({
      workspaceId,
      to: conversation,
      content: { type: 'text', text: 'x'.repeat(5000) },
      sender: { id: 'test', name: null },
    });
    expect(preview.problems.map(({ code }) => code)).toEqual(['invalid', 'window-closed']);
    expect(preview.problems[0]!.message).toBe('text has 5000 characters, this channel takes at most 4096');
    expect(preview.window).toMatchObject({ open: false });
    expect(await rows('select count(*) from messages')).toEqual(before);
  });
});

describe('a phone line that networks write in two forms', () => {
  const conversationsOf = (...values: string[]) =>
    rows(
      `select c.id, c.contact_id, (select count(*)::integer from messages m where m.conversation_id = c.id) as messages
       from conversations c where c.contact_id in (select contact_id from identities where value = any($1))`,
      [values],
    );

  it('is one person, whichever form comes first, also when we wrote to the other one', async () => {
    meta.whatsappCustomer(NUMBER, { phone: '551187654321' }).text('Oi');
    await until(async () => (await conversationsOf('+551187654321')).length === 1);
    meta.whatsappCustomer(NUMBER, { phone: '5511987654321' }).text('Tudo bem?');
    const both = ['+551187654321', '+5511987654321'];
    await until(async () => (await conversationsOf(...both))[0]?.messages === 2);
    await engine.sender.send({
      workspaceId,
      to: { channelId: whatsapp.id, identity: { kind: 'phonenumber', value: '+5511987654321' } },
      content: { type: 'text', text: 'Tudo' },
      sender: { id: 'test', name: null },
    });
    expect(await conversationsOf(...both)).toMatchObject([{ messages: 3 }]);
    expect((await rows('select value from identities where value = any($1) order by 1', [both])).map(({ value }) => value)).toEqual(both);
  });

  it('is one person also when both forms come in one webhook', async () => {
    const phones = ['5215512345678', '525512345678'];
    const messages = phones.map((from, n) => ({ from, id: `wamid.mx${n}`, timestamp: '1790000000', type: 'text', text: { body: from } }));
    meta.webhooks.emit(whatsappWebhook(meta.state, NUMBER, 'messages', { messages }));
    const both = phones.map((phone) => `+${phone}`);
    await until(async () => (await conversationsOf(...both))[0]?.messages === 2);
    expect(await conversationsOf(...both)).toHaveLength(1);
  });
});
