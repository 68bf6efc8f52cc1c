import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { readConfig } from '../../src/config.ts';
import { bootstrap } from '../../src/engine/bootstrap.ts';
import { createEngine, type Engine, type EngineParts } from '../../src/engine/engine.ts';
import { whenFileEnds } from './cleanup.ts';
import { testDatabase } from './database.ts';

/** A running engine on a database of its own, without HTTP; stopped when the test file ends. */
export async function testEngine(env: Record<string, string> = {}, parts: Pick<EngineParts, 'registry' | 'dns'> = {}): Promise<Engine> {
  const { database } = await testDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'patchbay-engine-'));
  whenFileEnds(() => rm(dataDir, { recursive: true, force: true }));
  const config = readConfig({ DATA_DIR: dataDir, SMTP_INBOUND_PORT: '0', ALLOW_PRIVATE_NETWORK: '1', ...env });
  const { workspaceId } = await bootstrap(database, { apiKey: 'ak_live_0123456789012345678901234567890123456789' });
  const log = pino({ level: env.LOG_LEVEL ?? 'fatal' });
  const engine = createEngine({ config, log, secret: Buffer.alloc(32, 7), database, defaultWorkspaceId: workspaceId, ...parts });
  await engine.start();
  whenFileEnds(() => engine.stop());
  return engine;
}
