/** R1, mail that is fetched: Graph, Gmail and a real IMAP server, killed at any moment between the fetch and the cursor. */
import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ImapFlow } from 'imapflow';
import { afterAll, expect, it } from 'vitest';
import { createGmailSandbox, createMicrosoftSandbox } from '../../../sandbox/email/index.ts';
import { mail } from '../connectors/email/mail.ts';
import { type Dovecot, dovecot, temporaryFolder as serverFolder, whyNoServers } from '../connectors/email/servers.ts';
import { testDatabase } from '../support/database.ts';
import { startPatchbay, temporaryFolder } from '../support/patchbay.ts';
import { freePort, until } from '../support/until.ts';

const KEY = 'ak_live_mailboxesmailboxesmailboxesmailboxesmail';
const ROUNDS = 3;
const obstacle = whyNoServers();
if (obstacle) console.warn(`SKIPPED: the IMAP server in ${import.meta.filename}: ${obstacle}`);

const cleanups: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

it('keeps every mail of every mailbox, once', async () => {
  const { database, url } = await testDatabase();
  const microsoft = createMicrosoftSandbox();
  microsoft.addUser('ms@shop.example');
  const google = await createGmailSandbox({ address: 'gm@shop.example' });
  const graph = await microsoft.app.listen({ port: 0, host: '127.0.0.1' });
  const gmail = await google.app.listen({ port: 0, host: '127.0.0.1' });
  const folder = serverFolder();
  const imap: Dovecot | undefined = obstacle ? undefined : await dovecot(folder);
  cleanups.push(async () => {
    await Promise.all([microsoft.app.close(), google.app.close(), imap?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });
  await imap?.start();
  const port = await freePort();
  const env = {
    DATA_DIR: `${await temporaryFolder()}/data`,
    DATABASE_URL: url,
    PATCHBAY_API_KEY: KEY,
    PORT: String(port),
    MICROSOFT_LOGIN_URL: graph,
    MICROSOFT_GRAPH_URL: graph,
    GOOGLE_OAUTH_URL: gmail,
    GMAIL_API_URL: gmail,
    ALLOW_PRIVATE_NETWORK: '1',
    LOG_LEVEL: 'error',
  };
  const first = await startPatchbay(env);
  const create = async (body: object) => {
    const headers = { 'content-type': 'application/json', 'x-api-key': KEY };
    const answer = await fetch(`${first.url}/api/v2/email/channels`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ name: 'Box', ...body }),
    });
    expect(answer.status, await answer.text()).toBe(201);
  };
  const client = { client_id: 'sandbox-client', client_secret: 'sandbox-secret' };
  await create({ email: 'ms@shop.example', provider: 'microsoft', provider_config: { ...client, tenant_id: 'sandbox-tenant' } });
  await create({ email: 'gm@shop.example', provider: 'google', provider_config: { ...client, refresh_token: 'sandbox-refresh' } });
  const smtp = { host: '127.0.0.1', port: 9, use_tls: false };
  const imapConfig = {
    imap_host: '127.0.0.1',
    imap_port: imap?.port,
    imap_use_tls: false,
    username: 'im@shop.example',
    password: 'secret',
  };
  if (imap) await create({ email: 'im@shop.example', provider: 'smtp', provider_config: { ...smtp, ...imapConfig } });

  const put = { microsoft: new Set<string>(), google: new Set<string>(), imap: new Set<string>() };
  let count = 0;
  const written = () => {
    const id = randomUUID();
    // Now and then one that is fetched in pieces.
    const body = ++count % 6 === 0 ? randomBytes(900_000).toString('base64').replace(/.{76}/g, '$&\n') : 'Hello';
    return { id, raw: mail({ Subject: id, 'Message-ID': `<${id}@out.example>`, From: `${id}@out.example` }, body) };
  };
  // The providers go on taking mail, whether Patchbay lives or not.
  let over = false;
  const everyMoment = async (once: () => Promise<unknown>) => {
    while (!over) {
      await once();
      await sleep(1_000);
    }
  };
  const session = new ImapFlow({
    host: '127.0.0.1',
    port: imap?.port ?? 0,
    secure: false,
    doSTARTTLS: false,
    auth: { user: 'im@shop.example', pass: 'secret' },
    logger: false,
  });
  cleanups.push(async () => {
    over = true;
    session.close();
  });
  session.on('error', () => session.close());
  if (imap) await session.connect();
  const putting = [
    everyMoment(async () => {
      const { id, raw } = written();
      await microsoft.receive('ms@shop.example', raw);
      put.microsoft.add(id);
    }),
    everyMoment(async () => {
      const { id, raw } = written();
      await google.receive(raw);
      put.google.add(id);
    }),
    ...(imap
      ? [
          everyMoment(async () => {
            const { id, raw } = written();
            await session.append('INBOX', raw);
            put.imap.add(id);
          }),
        ]
      : []),
  ];
  const fetched = async () => {
    const { rows } = await database.query<{ channel: string; n: number }>(
      'select channel_id as channel, count(*)::integer as n from messages group by 1',
    );
    return new Map(rows.map(({ channel, n }) => [channel, n]));
  };
  let patchbay = first;
  for (let round = 0; round < ROUNDS; round++) {
    const before = await fetched();
    // In the middle of fetching from each of them.
    await until(async () => {
      const now = await fetched();
      return now.size === putting.length && [...now].every(([channel, n]) => n >= (before.get(channel) ?? 0) + 3);
    });
    await sleep(Math.random() * 300);
    await patchbay.kill();
    // As if the dead one's time were over: the next one fetches at once.
    await database.query('delete from receive_leases');
    patchbay = await startPatchbay(env);
  }
  over = true;
  await Promise.all(putting);

  const all = [...put.microsoft, ...put.google, ...put.imap];
  const shown = async () => {
    const { rows } = await database.query<{ subject: string }>(`select content ->> 'subject' as subject from messages`);
    return rows.map(({ subject }) => subject);
  };
  await until(async () => new Set(await shown()).size >= all.length, { timeoutMs: 120_000, everyMs: 500 });
  const subjects = await shown();
  expect(new Set(subjects).size, 'shown twice').toBe(subjects.length);
  expect(all.filter((id) => !subjects.includes(id))).toEqual([]);
  const { rows: spooled } = await database.query(`select 1 from raw_events where content_type like '%; spool=%'`);
  expect(spooled.length).toBeGreaterThan(0);
  await patchbay.stop();
}, 300_000);
