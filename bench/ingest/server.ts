/**
 * The service as it runs in production, with one WhatsApp channel and, for comparison, a route that does nothing:
 * same process, same server, same body. Prints one line of JSON when it listens, and its memory when asked.
 */
import { Registry } from 'prom-client';
import { createApp } from '../../server/src/api/app.ts';
import { trackConnections } from '../../server/src/api/http.ts';
import { readConfig } from '../../server/src/config.ts';
import { bootstrap } from '../../server/src/engine/bootstrap.ts';
import { createEngine } from '../../server/src/engine/engine.ts';
import { createLogger } from '../../server/src/log.ts';
import { uuidv7 } from '../../server/src/model/ids.ts';
import { loadSecret } from '../../server/src/secret.ts';
import { upsertChannel } from '../../server/src/store/channels.ts';
import { openDatabase } from '../../server/src/store/database.ts';
import { startEmbedded } from '../../server/src/store/embedded.ts';
import { migrate } from '../../server/src/store/migrate.ts';
import { seed } from './seed.ts';

const config = readConfig(process.env);
const log = createLogger('error');
const embedded = await startEmbedded({ dataDir: config.dataDir, log });
await migrate(embedded.connection);
const database = openDatabase(embedded.connection, { log });
const { workspaceId } = await bootstrap(database, config);
const engine = createEngine({ config, log, secret: await loadSecret(config.dataDir), database, defaultWorkspaceId: workspaceId });
const { id: channelId } = await upsertChannel(database, {
  workspaceId,
  id: uuidv7(),
  source: 'whatsapp',
  sourceChannelId: process.env.BENCH_NUMBER_ID!,
  account: process.env.BENCH_NUMBER_ID!,
  name: 'Bench',
  imageUrl: null,
  status: 'active',
  statusReason: null,
  sandbox: false,
  settings: { phone_number_id: process.env.BENCH_NUMBER_ID! },
  credentials: null,
  credentialsKeyId: null,
  details: {},
  metadata: {},
});
const app = await createApp({ engine, metrics: new Registry(), readiness: { draining: false, isDatabaseUp: () => database.isUp() } });
app.register(async (scope) => {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  scope.post('/empty', async (_request, reply) => reply.code(200).send());
});
trackConnections(app.server);
await app.ready();
await engine.start();
await app.listen({ port: 0, host: '127.0.0.1' });
const { port } = app.server.address() as { port: number };
process.stdout.write(`${JSON.stringify({ port })}\n`);

process.on('message', async (question: 'counts' | 'stop' | { messages: number; conversations: number }) => {
  if (typeof question === 'object') {
    await seed(database, { workspaceId, channelId }, question);
    process.send!('seeded');
    return;
  }
  if (question === 'counts') {
    const { rows } = await database.query(
      `select (select count(*) from messages)::integer as messages, (select count(*) from conversations)::integer as conversations,
         (select count(*) from raw_events)::integer as "rawEvents", (select count(*) from events)::integer as events`,
    );
    process.send!({ ...rows[0], rssMb: Math.round(process.memoryUsage().rss / 1024 / 1024) });
    return;
  }
  await app.close();
  await engine.stop();
  await database.close();
  await embedded.stop();
  process.exit(0);
});
