/** R4: while the database is away everybody is told to try again; afterwards all goes on without a restart. */
import { createHmac, randomUUID } from 'node:crypto';
import { symlink, unlink } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { type Embedded, startEmbedded } from '../../src/store/embedded.ts';
import { repeatedly } from '../support/kill.ts';
import { startPatchbay, temporaryFolder } from '../support/patchbay.ts';
import { freePort, until } from '../support/until.ts';

const KEY = 'ak_live_awayawayawayawayawayawayawayawayawayaway';
const WORKSPACE = '018f0000-0000-7000-8000-0000000000ac';
const SECRET = 'partner-key';
let server: Embedded | undefined;
afterAll(() => server?.stop());

it('says so everywhere while the database is away, and goes on when it is back, with nothing lost', async () => {
  const folder = await temporaryFolder();
  const socket = join(folder, 'socket');
  const silent = () => undefined;
  /** The server at an address that stays the same. */
  const start = async () => {
    server = await startEmbedded({ dataDir: join(folder, 'database'), log: { debug: silent, info: silent, warn: silent, error: silent } });
    await unlink(socket).catch(silent);
    await symlink(String(server.connection.host), socket);
  };
  await start();
  const { user, database: name } = server!.connection;
  const mailPort = await freePort();
  const patchbay = await startPatchbay({
    DATABASE_URL: `postgresql:///${name}?${new URLSearchParams({ host: socket, user: String(user) })}`,
    PATCHBAY_API_KEY: KEY,
    PATCHBAY_WORKSPACE_ID: WORKSPACE,
    GOOGLE_PARTNER_KEY: SECRET,
    SMTP_INBOUND_PORT: String(mailPort),
    LOG_LEVEL: 'fatal',
  });
  let ended = false;
  void patchbay.exited.then(() => {
    ended = true;
  });
  const request = async (path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${patchbay.url}/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'x-api-key': KEY, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      json: text.startsWith('{') ? JSON.parse(text) : text,
    };
  };
  const { json: site } = await request('channels.chatplugin.connect', { name: 'site' });
  await request('channels.google.connect', { gbm_id: 'gbm-1', name: 'Agent' });
  await request('api/v2/email/channels', { name: 'Help', email: 'help@shop.example', provider: 'aurion' });
  const { json: visitor } = await request('chatplugin.authenticate', { channel_id: site.id });
  const authorization = `Bearer ${visitor.token}`;

  const { json: hello } = await request('chatplugin.send', { message: { text: 'hello' } }, { authorization });

  const said = new Set<string>();
  const say = async () => {
    const text = randomUUID();
    const answer = await request('messages.send', { conversation_id: hello.sender.id, message: { text } });
    if (answer.status === 200) said.add(text);
    return answer;
  };
  const ring = async () => {
    const text = randomUUID();
    const message = { messageId: text, name: `conversations/c/messages/${text}`, text, createTime: new Date().toISOString() };
    const body = JSON.stringify({ agent: 'brands/b/agents/gbm-1', conversationId: 'c', message, sendTime: new Date().toISOString() });
    const signature = createHmac('sha512', SECRET).update(body).digest('base64');
    const answer = await request('hooks/google', body, { 'x-goog-signature': signature });
    if (answer.status === 200) said.add(text);
    return answer;
  };
  const frames = await listen(`${patchbay.url}/workspaces/${WORKSPACE}/events/stream`);

  let over = false;
  const odd = new Set<number>();
  const noted = async (work: () => Promise<{ status: number }>) => {
    const { status } = await work();
    if (status !== 200 && status !== 503) odd.add(status);
  };
  const load = [say, ring, say, ring].map((work) =>
    repeatedly(
      () => over,
      () => noted(work),
    ),
  );
  await until(() => said.size > 20);
  await server!.stop();

  await until(async () => (await request('readyz')).status === 503);
  expect((await request('healthz')).status).toBe(200);
  expect(await ring()).toMatchObject({ status: 503, retryAfter: expect.any(String) });
  expect(await say()).toMatchObject({ status: 503, json: { message: 'the database is away' } });
  for (const [path, body] of [
    [`workspaces/${WORKSPACE}/channels`],
    ['api/v2/email/channels'],
    ['api/channels'],
    ['conversations.list', {}],
  ] as const) {
    expect(await request(path, body), path).toMatchObject({ status: 503, retryAfter: expect.any(String) });
  }
  expect(await mailAnswer(mailPort)).toMatch(/^4/);

  await start();
  await until(async () => (await request('readyz')).status === 200);
  const before = said.size;
  await until(() => said.size > before + 20);
  over = true;
  await Promise.all(load);
  const { json: last } = await request('chatplugin.send', { message: { text: 'back again' } }, { authorization });
  expect(last.id).toBeTruthy();
  await until(() => frames.heard().includes('back again'), { what: 'live events' });
  frames.end();

  const database = openDatabase({ ...server!.connection }, { log: { warn: silent } });
  const { rows } = await database.query<{ content: string }>('select content::text from messages');
  await database.close();
  const shown = rows.map(({ content }) => /[0-9a-f-]{36}/.exec(content)?.[0] ?? content);
  expect(new Set(shown).size).toBe(shown.length);
  expect([...said].filter((text) => !shown.includes(text))).toEqual([]);
  expect([...odd]).toEqual([]);
  expect(ended).toBe(false);
  expect(await patchbay.stop()).toEqual({ code: 0, signal: null });
}, 90_000);

/** What is said in a stream of events, over its interruptions. */
async function listen(url: string): Promise<{ heard(): string; end(): void }> {
  let heard = '';
  const ending = new AbortController();
  void repeatedly(
    () => ending.signal.aborted,
    async () => {
      const last = heard
        .match(/^id: (\d+)$/gm)
        ?.at(-1)
        ?.slice(4);
      const headers = { 'x-api-key': KEY, ...(last ? { 'last-event-id': last } : {}) };
      const response = await fetch(url, { headers, signal: ending.signal });
      if (!response.ok) throw new Error(`${response.status}`);
      for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) heard += Buffer.from(part).toString();
    },
  );
  await until(() => heard.includes('event: ready'));
  return { heard: () => heard, end: () => ending.abort() };
}

/** What the mail server answers to a mail. */
async function mailAnswer(port: number): Promise<string> {
  const connection = createConnection(port, '127.0.0.1');
  const lines = ['EHLO out.example', 'MAIL FROM:<ann@out.example>', 'RCPT TO:<help@shop.example>'];
  let last = '';
  for await (const data of connection) {
    last = String(data).trim().split('\r\n').at(-1)!;
    const next = lines.shift();
    if (next === undefined || !/^[23]/.test(last)) break;
    connection.write(`${next}\r\n`);
  }
  connection.destroy();
  return last;
}
