import { afterAll, expect, it } from 'vitest';
import { createMetaSandbox } from '../../../sandbox/meta/index.ts';
import { Pacer } from '../../src/engine/pacer.ts';
import { hookedEngine } from '../support/hooked-engine.ts';
import { until } from '../support/until.ts';

const SLOW = '1001';
const QUICK = '1002';
const meta = createMetaSandbox({
  appSecret: 'app-secret',
  tokens: [{ value: 'token' }],
  wabas: [{ id: '2001', numbers: [{ id: SLOW }, { id: QUICK }] }],
});
const held: (() => void)[] = [];
let holding = true;
meta.app.addHook('preHandler', async (request) => {
  if (holding && request.method === 'POST' && request.url.includes(`/${SLOW}/messages`))
    await new Promise<void>((resolve) => held.push(resolve));
});
const graph = await meta.app.listen({ port: 0, host: '127.0.0.1' });
afterAll(() => meta.app.close());
const { engine, workspaceId, rows, send, reaches } = await hookedEngine(async (url) => {
  meta.pointTo(`${url}/hooks/meta`);
  return { META_GRAPH_URL: graph, META_APP_ID: '1000000000000001', META_APP_SECRET: 'app-secret', META_VERIFY_TOKEN: 'v' };
});

async function conversations(number: string, count: number): Promise<{ conversationId: string }[]> {
  const input = { phone_number_id: number, business_account_id: '2001', user_token: 'token' };
  const channel = await engine.channels.connect({ workspaceId, source: 'whatsapp', input, sandbox: false, existing: 'reuse' });
  for (let n = 0; n < count; n++) meta.whatsappCustomer(number, { phone: `49170000${String(n).padStart(4, '0')}` }).text('Hello');
  await meta.webhooks.settled();
  return (await rows('select id from conversations where channel_id = $1', [channel.id])).map(({ id }) => ({ conversationId: id }));
}

it('a channel whose provider does not answer holds up none of the others', async () => {
  const slow = await conversations(SLOW, 300);
  const [quick] = await conversations(QUICK, 1);
  const waiting = await Promise.all(slow.map((conversation) => send(conversation, 'slow')));
  await until(() => held.length >= 64);
  for (let n = 0; n < 3; n++) await reaches((await send(quick!, `quick ${n}`)).id, 'read');
  holding = false;
  for (const release of held) release();
  await until(
    async () => (await rows(`select 1 from messages where content ->> 'text' = 'slow' and state = 'read'`)).length === waiting.length,
    // On a slow machine their calls ended without an answer, and eight at a time are tried.
    { timeoutMs: 120_000 },
  );
  expect(meta.state.sent.filter(({ from }) => from === SLOW)).toHaveLength(300);
}, 200_000);

it('a lane goes in order, even when its first message has to be tried again', async () => {
  const [conversation] = await conversations(QUICK, 1);
  meta.faults.outages = 1;
  const before = meta.state.sent.length;
  const sent = [];
  for (let n = 0; n < 5; n++) sent.push(await send(conversation!, `in order ${n}`));
  await reaches(sent.at(-1)!.id, 'read');
  const texts = meta.state.sent.slice(before).map(({ body }) => (body.text as { body: string }).body);
  expect(texts).toEqual([0, 1, 2, 3, 4].map((n) => `in order ${n}`));
});

it('the pacer gives a burst and then one place at a time; a recipient who has to wait takes none of the channel’s', () => {
  let now = 0;
  const pacer = new Pacer(() => now);
  const pacing = { perSecond: 2, perRecipient: { burst: 2, everyMs: 6000 } };
  expect([1, 2, 3].map((n) => pacer.take('c', `r${n}`, pacing))).toEqual([{ wait: 0 }, { wait: 0 }, { wait: 500 }]);
  expect(pacer.places('c', pacing, 0)).toBe(0);
  now = 10_000;
  expect([1, 2, 3].map(() => pacer.take('c', 'r', pacing))).toEqual([{ wait: 0 }, { wait: 0 }, { later: 6000 }]);
  pacer.pause('c', 1000);
  expect([pacer.places('c', pacing, 0), pacer.pausedFor('c')]).toEqual([0, 1000]);
});
