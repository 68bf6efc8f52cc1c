/**
 * The peer: `chat` with its WhatsApp adapter and PostgreSQL state, from the folder PEER_FOLDER, on a PostgreSQL like
 * ours. Its handler keeps each message, as a user's would. Prints its port, and its counts when asked.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { createLogger } from '../../server/src/log.ts';
import { startEmbedded } from '../../server/src/store/embedded.ts';

interface PeerMessage {
  id: string;
  text: string;
}

interface Peer {
  webhooks: { whatsapp(request: Request, options: { waitUntil(task: Promise<unknown>): void }): Promise<Response> };
  onDirectMessage(
    handler: (thread: unknown, message: PeerMessage, channel: unknown, context?: { skipped: PeerMessage[] }) => Promise<void>,
  ): void;
}

const folder = process.env.PEER_FOLDER!;
const load = async (name: string) => {
  const home = join(folder, 'node_modules', name);
  const { exports } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { exports: { '.': { import: string } } };
  return import(pathToFileURL(join(home, exports['.'].import)).href);
};
const { Chat } = await load('chat');
const { createWhatsAppAdapter } = await load('@chat-adapter/whatsapp');
const { createPostgresState } = await load('@chat-adapter/state-pg');

const embedded = await startEmbedded({ dataDir: process.env.DATA_DIR!, log: createLogger('error') });
const database = new pg.Pool({ ...embedded.connection, max: 20 });
await database.query('create table if not exists handled (id text not null, body text not null)');
const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const bot: Peer = new Chat({
  userName: 'bench',
  adapters: {
    whatsapp: createWhatsAppAdapter({
      accessToken: 'token',
      appSecret: process.env.META_APP_SECRET,
      phoneNumberId: process.env.BENCH_NUMBER_ID,
      verifyToken: 'verify',
      apiUrl: 'http://127.0.0.1:1',
      logger: quiet,
    }),
  },
  state: createPostgresState({ client: database }),
  // Nothing that came is left out: messages of one conversation wait for each other.
  concurrency: 'queue',
  logger: quiet,
});
bot.onDirectMessage(async (_thread, message, _channel, context) => {
  // Those that queued up behind another one come along with the last.
  for (const { id, text } of [...(context?.skipped ?? []), message]) {
    await database.query('insert into handled (id, body) values ($1, $2)', [id, text]);
  }
});

const open = new Set<Promise<unknown>>();
const server = createServer(async (request, response) => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const answer = await bot.webhooks.whatsapp(
    new Request('http://bench/hooks/meta', {
      method: 'POST',
      headers: request.headers as Record<string, string>,
      body: Buffer.concat(parts),
    }),
    {
      waitUntil: (task) => {
        const work = task.catch(() => undefined).finally(() => open.delete(work));
        open.add(work);
      },
    },
  );
  response.writeHead(answer.status).end(await answer.text());
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ port: (server.address() as { port: number }).port })}\n`));

process.on('message', async (question: 'counts' | 'stop') => {
  while (open.size > 0) await Promise.all(open);
  if (question === 'counts') {
    const { rows } = await database.query('select count(*)::integer as messages, count(distinct body)::integer as different from handled');
    process.send!({ ...rows[0], rssMb: Math.round(process.memoryUsage().rss / 1024 / 1024) });
    return;
  }
  server.closeAllConnections();
  await database.end();
  await embedded.stop();
  process.exit(0);
});
