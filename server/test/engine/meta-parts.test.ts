/** Messenger and Instagram carry a file or words: a picture with a caption is one message of ours and takes two calls. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { noFaults } from '../../../sandbox/meta/faults.ts';
import { createMetaSandbox } from '../../../sandbox/meta/index.ts';
import type { Content } from '../../src/model/content.ts';
import { hookedEngine } from '../support/hooked-engine.ts';
import { until } from '../support/until.ts';

const meta = createMetaSandbox({
  appSecret: 'app-secret',
  appId: '77',
  tokens: [{ value: 'token' }],
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

describe.each([
  ['facebook', '555'],
  ['instagram', '17841'],
])('a picture with words on %s', (source, account) => {
  const setup = (async () => {
    const input = { page_id: '555', page_token: 'page-token-555' };
    const channel = await engine.channels.connect({ workspaceId, source, input, sandbox: false, existing: 'reuse' });
    const customer = meta.pageCustomer(account, `90${account}`);
    customer.text('Hi');
    return { customer, conversation: await conversationOn(channel) };
  })();
  const picture = (caption: string): Content => ({ type: 'image', media: { url: 'https://shop.example/a.png' }, caption });
  const sentFor = (caption: string) => {
    const at = meta.state.sent.findIndex(({ from, body }) => from === account && (body.message as any).text === caption);
    return { words: meta.state.sent[at]!, before: meta.state.sent[at - 1]! };
  };
  const wordsSent = (caption: string) =>
    meta.state.sent.filter(({ from, body }) => from === account && (body.message as any).text === caption).length;
  const picturesSent = () => meta.state.sent.filter(({ from, body }) => from === account && (body.message as any).attachment).length;
  const shown = async () =>
    Number((await rows(`select count(*) from messages where direction = 'out' and source = $1`, [source]))[0]!.count);

  it('goes out in order, is one message, and what is said about the picture is said about it', async () => {
    const { customer, conversation } = await setup;
    const { id } = await send(conversation, picture('Our new chair'));
    const settled = await reaches(id, 'read');
    await meta.webhooks.settled();
    const { words, before } = sentFor('Our new chair');
    expect(before.body.message).toMatchObject({ attachment: { type: 'image' } });
    expect(settled.providerId).toBe(words.id);
    expect(settled.payload).toMatchObject({ message: { text: 'Our new chair', attachment: { type: 'image' } } });
    expect(await shown()).toBe(1);

    customer.react(before.id, '❤️');
    await until(async () => (await message(id)).metadata.reaction);
    customer.write({ text: `How much on ${source}?`, reply_to: { mid: before.id } });
    const [answer] = await until(async () => {
      const found = await rows(`select reply_to from messages where content ->> 'text' = $1`, [`How much on ${source}?`]);
      return found.length > 0 && found;
    });
    expect(answer.reply_to).toBe(id);
  });

  it('is refused as a whole where the picture is', async () => {
    const { conversation } = await setup;
    meta.faults.refusals = { code: 100, message: '(#100) Upload failed', status: 400, left: 1 };
    const { id } = await send(conversation, picture('Never'));
    expect((await reaches(id, 'failed')).error!.message).toBe('(#100) Upload failed');
    expect(wordsSent('Never')).toBe(0);
  });

  it('says when the words alone were refused, and sends only them again', async () => {
    const { conversation } = await setup;
    const before = picturesSent();
    Object.assign(meta.faults, { spareSends: 1, refusals: { code: 100, message: '(#100) No', status: 400, left: 1 } });
    const { id } = await send(conversation, picture('Half'));
    expect((await reaches(id, 'failed')).error!.message).toBe('Only the first part of this message was sent, the rest was not: (#100) No');
    await engine.sender.resend(workspaceId, id);
    await reaches(id, 'read');
    expect([picturesSent() - before, wordsSent('Half')]).toEqual([1, 1]);
  });

  it.each([
    ['is down between the two', { spareSends: 1, refusals: { code: 2, message: 'Down', status: 503, left: 1 } }, 'Down'],
    ['does not answer the first call', { lostAnswers: 1 }, 'Lost picture'],
    ['does not answer the second call', { spareSends: 1, lostAnswers: 1 }, 'Lost words'],
  ])('is sent once when Meta %s', async (_what, faults, caption) => {
    const { conversation } = await setup;
    const before = { pictures: picturesSent(), shown: await shown() };
    Object.assign(meta.faults, faults);
    const { id } = await send(conversation, picture(caption));
    await reaches(id, 'read');
    await meta.webhooks.settled();
    expect([picturesSent() - before.pictures, wordsSent(caption), (await shown()) - before.shown]).toEqual([1, 1, 1]);
  });

  it('goes on with the words where a process died between the two calls', async () => {
    const { conversation } = await setup;
    const { id } = await send(conversation, picture('After a crash'), { sendAt: new Date(Date.now() + 3_600_000) });
    const [{ channel_id: channelId }] = await rows('select channel_id from messages where id = $1', [id]);
    const before = picturesSent();
    await rows('insert into message_parts (workspace_id, message_id, channel_id, position, provider_id) values ($1, $2, $3, 0, $4)', [
      workspaceId,
      id,
      channelId,
      `m_before_the_crash_${source}`,
    ]);
    await rows(
      `update outbox set run_at = now(), call_started_at = now() - interval '5 minutes', leased_until = now() - interval '1 minute' where message_id = $1`,
      [id],
    );
    engine.outbox.wake();
    await reaches(id, 'read');
    expect([picturesSent() - before, wordsSent('After a crash')]).toEqual([0, 1]);
  });
});

it('what one workspace sends on a page is shown as written elsewhere in another that has the page too', async () => {
  const other = crypto.randomUUID();
  await rows(`insert into workspaces (workspace_id, name) values ($1, 'other')`, [other]);
  const input = { page_id: '555', page_token: 'page-token-555' };
  const connect = (workspace: string) =>
    engine.channels.connect({ workspaceId: workspace, source: 'facebook', input, sandbox: false, existing: 'reuse' });
  const [ours] = [await connect(workspaceId), await connect(other)];
  meta.pageCustomer('555', '7001').text('Hi, both of you');
  const [row] = await until(async () => {
    const found = await rows(
      `select conversation_id as id from messages where channel_id = $1 and content ->> 'text' = 'Hi, both of you'`,
      [ours.id],
    );
    return found.length > 0 && found;
  });
  const { id } = await send({ conversationId: row.id }, 'From the first workspace');
  await reaches(id, 'read');
  const copies = await until(async () => {
    const found = await rows(`select workspace_id, direction from messages where content ->> 'text' = 'From the first workspace'`);
    return found.length > 1 && found;
  });
  await meta.webhooks.settled();
  expect(copies.map((copy) => [copy.workspace_id === other, copy.direction]).sort()).toEqual([
    [false, 'out'],
    [true, 'out'],
  ]);
});
