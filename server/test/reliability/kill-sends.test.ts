/** R1, outwards: killed at any moment, what was taken for sending is sent once or known to be unknown; never twice. */
import { randomUUID } from 'node:crypto';
import { afterAll, expect, it } from 'vitest';
import { createMetaSandbox, type MetaSandbox } from '../../../sandbox/meta/index.ts';
import { testDatabase } from '../support/database.ts';
import { killUnderLoad, repeatedly } from '../support/kill.ts';
import { type RunningPatchbay, startPatchbay } from '../support/patchbay.ts';
import { freePort, until } from '../support/until.ts';

const KEY = 'ak_live_sendsendsendsendsendsendsendsendsendsend';
const WORKSPACE = '018f0000-0000-7000-8000-0000000000aa';
const NUMBER = '106540352242922';
const PAGE = '555';
const ACCOUNT = '17841';
const ROUNDS = 5;
const AGENTS = 6;
let provider: MetaSandbox | undefined;
afterAll(() => provider?.app.close());

interface Request {
  path: string;
  body: object;
  key: string;
  text: string;
}

async function post(patchbay: RunningPatchbay, path: string, body: object, headers: Record<string, string> = {}): Promise<any> {
  const response = await fetch(`${patchbay.url}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': KEY, ...headers },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw Object.assign(new Error(`${path} answered ${response.status}: ${await response.text()}`), response);
  return response.json();
}

it('sends every acknowledged message once, and what was asked again under the same key once too', async () => {
  const { database, url } = await testDatabase();
  const port = String(await freePort());
  const sandbox = createMetaSandbox({
    appSecret: 'app-secret',
    tokens: [{ value: 'good' }],
    wabas: [{ id: '102290129340398', numbers: [{ id: NUMBER, throughput: { level: 'HIGH' } }] }],
    pages: [{ id: PAGE, instagram: { id: ACCOUNT, username: 'shop', name: 'Shop' } }],
    webhook: `http://127.0.0.1:${port}/hooks/meta`,
    limits: { perSecond: () => 10_000, pairBurst: 10_000, pairEveryMs: 1 },
  });
  provider = sandbox;
  sandbox.faults.delayMs = 20;
  sandbox.faults.windowRefusal = 'never';
  const env = {
    PORT: port,
    DATABASE_URL: url,
    PATCHBAY_API_KEY: KEY,
    PATCHBAY_WORKSPACE_ID: WORKSPACE,
    PATCHBAY_SECRET: Buffer.alloc(32, 5).toString('base64'),
    META_GRAPH_URL: await sandbox.app.listen({ port: 0, host: '127.0.0.1' }),
    META_APP_SECRET: 'app-secret',
    ALLOW_PRIVATE_NETWORK: '1',
    LOG_LEVEL: 'error',
  };
  const first = await startPatchbay(env);
  await post(first, 'channels.whatsapp.connect', {
    phone_number_id: NUMBER,
    business_account_id: '102290129340398',
    user_token: 'good',
    name: 'WA',
  });
  const onPage = { page_id: PAGE, page_token: `page-token-${PAGE}` };
  await post(first, 'channels.facebook.connect', onPage);
  await post(first, 'channels.instagram.connect', { ...onPage, account_id: ACCOUNT });
  const { id: site } = await post(first, 'channels.chatplugin.connect', { name: 'site' });
  for (let n = 0; n < AGENTS; n++) sandbox.whatsappCustomer(NUMBER, { phone: `49170000000${n}`, name: `Customer ${n}` }).text('hello');
  for (const account of [PAGE, ACCOUNT]) for (let n = 0; n < AGENTS; n++) sandbox.pageCustomer(account, `90${account}${n}`).text('hello');
  const chats: string[] = [];
  for (let n = 0; n < AGENTS; n++) {
    const { token } = await post(first, 'chatplugin.authenticate', { channel_id: site });
    chats.push((await post(first, 'chatplugin.send', { message: { text: 'hello' } }, { authorization: `Bearer ${token}` })).sender.id);
  }
  const customers = await until(async () => {
    const { rows } = await database.query<{ id: string; channel: string; phone: string }>(
      `select c.id, c.channel_id as channel, i.value as phone from conversations c join identities i on i.contact_id = c.contact_id where i.kind = 'phonenumber'`,
    );
    return rows.length === AGENTS ? rows : undefined;
  });

  const onPages = await until(async () => {
    const { rows } = await database.query<{ id: string; kind: string }>(
      `select c.id, i.kind from conversations c join identities i on i.contact_id = c.contact_id where i.kind in ('psid', 'igsid')`,
    );
    const of = (kind: string) => rows.filter((row) => row.kind === kind);
    return rows.length === 2 * AGENTS ? { psid: of('psid'), igsid: of('igsid') } : undefined;
  });

  const acknowledged = new Map<string, string>();
  const open = new Map<number, Request>();
  const kinds: ((n: number, text: string) => Omit<Request, 'key' | 'text'>)[] = [
    (n, text) => ({ path: 'messages.send', body: { conversation_id: customers[n]!.id, message: { type: 'text', text: { body: text } } } }),
    (n, text) => ({ path: 'messages.send', body: { conversation_id: chats[n]!, message: { text } } }),
    (n, text) => ({
      path: `workspaces/${WORKSPACE}/channels/${customers[n]!.channel}/messages`,
      body: {
        receiver: { contacts: [{ identifierKey: 'phonenumber', identifierValue: customers[n]!.phone }] },
        body: { type: 'text', text: { text } },
      },
    }),
    ...(['psid', 'igsid'] as const).flatMap((kind) => [
      (n: number, text: string) => ({ path: 'messages.send', body: { conversation_id: onPages[kind][n]!.id, message: { text } } }),
      // Two calls: the file, then the words.
      (n: number, text: string) => ({
        path: `workspaces/${WORKSPACE}/conversations/${onPages[kind][n]!.id}/messages`,
        body: { body: { type: 'image', image: { text, images: [{ mediaUrl: `https://shop.example/${text}.png` }] } } },
      }),
    ]),
  ];
  /** An agent's client: the same request under the same key until it is answered. */
  const ask = async (patchbay: RunningPatchbay, agent: number) => {
    let request = open.get(agent);
    if (!request) {
      const text = randomUUID();
      request = { ...kinds[agent % kinds.length]!(agent % AGENTS, text), text, key: randomUUID() };
      open.set(agent, request);
    }
    const message = await post(patchbay, request.path, request.body, { 'idempotency-key': request.key });
    acknowledged.set(request.text, message.id);
    open.delete(agent);
  };
  const agents = Array.from({ length: AGENTS * kinds.length }, (_, agent) => agent);
  /** As if so much time went by that leases and abandoned keys have run out. */
  const later = () =>
    database.query(
      `with l as (update outbox set leased_until = now() where leased_until is not null)
       update idempotency_keys set created_at = created_at - interval '10 minutes' where status is null`,
    );
  const patchbay = await killUnderLoad(first, env, {
    rounds: ROUNDS,
    progress: () => Math.min(acknowledged.size, sandbox.state.sent.length * 2),
    work: agents.map((agent) => (running, gone) => repeatedly(gone, () => ask(running, agent))),
    afterKill: later,
  });

  for (const agent of open.keys()) await ask(patchbay, agent);
  const lineIsEmpty = async () => (await database.query('select 1 from outbox')).rows.length === 0;
  await until(lineIsEmpty, { timeoutMs: 30_000, what: 'an empty line' });
  await sandbox.webhooks.settled();
  // An echo that came only now lets its message go on with the next part.
  await until(lineIsEmpty, { timeoutMs: 30_000, what: 'an empty line after the last echo' });
  const { rows } = await database.query<{ id: string; state: string; source: string; content: string }>(
    `select id, state, source, content::text from messages where direction = 'out'`,
  );
  const textOf = (content: string) => /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/.exec(content)![0];
  const isFile = (body: any) => body.message?.attachment !== undefined;
  const atProvider = sandbox.state.sent.map(({ body }) => `${isFile(body) ? 'file ' : ''}${textOf(JSON.stringify(body))}`);
  expect(acknowledged.size).toBeGreaterThanOrEqual(100);
  expect(atProvider.length).toBeGreaterThanOrEqual(50);
  expect(new Set(atProvider).size, 'sent twice').toBe(atProvider.length);
  expect(new Set(rows.map((row) => textOf(row.content))).size, 'stored twice').toBe(rows.length);
  const stored = new Map(rows.map((row) => [textOf(row.content), row]));
  expect([...acknowledged].filter(([text, id]) => stored.get(text)?.id !== id)).toEqual([]);
  const sent = new Set(atProvider);
  const wrong = rows.filter(({ source, state, content }) => {
    if (state === 'unknown') return false;
    const said = state === 'sent' || state === 'delivered' || state === 'read';
    const isPicture = JSON.parse(content).type === 'image';
    const arrived = sent.has(textOf(content)) && (!isPicture || sent.has(`file ${textOf(content)}`));
    return !said || (source !== 'chatplugin' && !arrived);
  });
  expect(wrong).toEqual([]);
}, 400_000);
