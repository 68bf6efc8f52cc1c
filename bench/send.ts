/**
 * S3: messages through one process to a provider that answers in 50 ms: taken at the gate, ordered per conversation,
 * paced per channel, and settled. Usage: npm run bench send [messages per conversation]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../server/src/config.ts';
import { bootstrap } from '../server/src/engine/bootstrap.ts';
import { createEngine } from '../server/src/engine/engine.ts';
import { createLogger } from '../server/src/log.ts';
import { uuidv7 } from '../server/src/model/ids.ts';
import { upsertChannel } from '../server/src/store/channels.ts';
import { openDatabase } from '../server/src/store/database.ts';
import { startEmbedded } from '../server/src/store/embedded.ts';
import { migrate } from '../server/src/store/migrate.ts';

const CHANNELS = 25;
const CONVERSATIONS = 40;
const CALLERS = 128;
let written = 0;
const perConversation = Number(process.argv[2] ?? 20);

const dataDir = await mkdtemp(join(tmpdir(), 'patchbay-bench-'));
const provider = fork(join(import.meta.dirname, 'send', 'provider.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
const [{ port }] = (await once(provider, 'message')) as [{ port: number }];
const config = readConfig({
  DATA_DIR: dataDir,
  SMTP_INBOUND_PORT: '0',
  ALLOW_PRIVATE_NETWORK: '1',
  META_GRAPH_URL: `http://127.0.0.1:${port}`,
});
const log = createLogger('warn');
const embedded = await startEmbedded({ dataDir, log });
await migrate(embedded.connection);
const database = openDatabase(embedded.connection, { log });
const { workspaceId } = await bootstrap(database, config);
const engine = createEngine({ config, log, secret: Buffer.alloc(32, 7), database, defaultWorkspaceId: workspaceId });
await engine.start();
try {
  const conversations = await prepare();
  await round('one message each, to warm up', conversations, 1);
  const taken = await round('all', conversations, perConversation);
  provider.send('report');
  const [report] = (await once(provider, 'message')) as [{ taken: number; disordered: number; twice: number; busiest: number }];
  console.log(`busiest second of a channel: ${report.busiest} messages (its pace: 80 a second after a burst of 80)`);
  if (report.taken !== taken || report.disordered > 0 || report.twice > 0)
    throw new Error(`not once and in order: ${JSON.stringify(report)}`);
  console.log(`each of ${report.taken} messages was sent once, and in the order of its conversation`);
} finally {
  await engine.stop();
  await database.close();
  await embedded.stop();
  provider.kill();
  await rm(dataDir, { recursive: true, force: true });
}

/** Channels with conversations whose service windows are open. */
async function prepare(): Promise<string[]> {
  const made: string[] = [];
  for (let c = 0; c < CHANNELS; c++) {
    const channelId = uuidv7();
    const number = `1065403522${c}`;
    const sealed = engine.vault.seal({ access_token: 'bench-token' }, `channel ${workspaceId} ${channelId}`);
    await upsertChannel(database, {
      workspaceId,
      id: channelId,
      source: 'whatsapp',
      sourceChannelId: number,
      account: number,
      name: `Bench ${c}`,
      imageUrl: null,
      status: 'active',
      statusReason: null,
      sandbox: false,
      settings: { phone_number_id: number },
      credentials: sealed.data,
      credentialsKeyId: sealed.keyId,
      details: {},
      metadata: {},
    });
    for (let n = 0; n < CONVERSATIONS; n++) {
      const contactId = uuidv7();
      const conversationId = uuidv7();
      await database.query('insert into contacts (workspace_id, id) values ($1, $2)', [workspaceId, contactId]);
      await database.query(`insert into identities (workspace_id, kind, value, contact_id) values ($1, 'phonenumber', $2, $3)`, [
        workspaceId,
        `+49170${String(c * CONVERSATIONS + n).padStart(7, '0')}`,
        contactId,
      ]);
      await database.query(
        `insert into conversations (workspace_id, id, channel_id, contact_id, last_inbound_at, window_expires_at)
         values ($1, $2, $3, $4, now(), now() + interval '1 day')`,
        [workspaceId, conversationId, channelId, contactId],
      );
      made.push(conversationId);
    }
  }
  return made;
}

/** Sends `each` messages to every conversation, in turn; gives how many were written in all so far. */
async function round(what: string, conversations: string[], each: number): Promise<number> {
  const count = conversations.length * each;
  const base = Math.floor(written / conversations.length);
  let next = 0;
  const started = performance.now();
  const busy = process.cpuUsage();
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (next < count) {
        const n = next++;
        await engine.sender.send({
          workspaceId,
          to: { conversationId: conversations[n % conversations.length]! },
          content: { type: 'text', text: `Your order is on its way, message ${base + Math.floor(n / conversations.length)}` },
          sender: { id: 'bench', name: null },
        });
      }
    }),
  );
  const gate = (performance.now() - started) / 1000;
  written += count;
  for (;;) {
    const { rows } = await database.query(`select count(*)::integer as n from messages where state = 'sent'`);
    if (rows[0].n === written) break;
    await sleep(20);
  }
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(busy);
  console.log(
    `${what}: ${count} messages in ${seconds.toFixed(2)} s = ${Math.round(count / seconds)}/s sent and settled ` +
      `(promised: at least 1000); taken at the gate at ${Math.round(count / gate)}/s; process ${((user + system) / 1e6 / seconds).toFixed(2)} CPU`,
  );
  return written;
}
