/** The whole application over a database of the test file's own; requests go through `inject`. */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { Registry } from 'prom-client';
import { createApp } from '../../src/api/app.ts';
import { readConfig } from '../../src/config.ts';
import { bootstrap } from '../../src/engine/bootstrap.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { createLogger } from '../../src/log.ts';
import { uuidv7 } from '../../src/model/ids.ts';
import { insertKey, newKeyText } from '../../src/store/keys.ts';
import { whenFileEnds } from '../support/cleanup.ts';
import { testDatabase } from '../support/database.ts';
import { temporaryFolder } from '../support/patchbay.ts';

export interface TestApp {
  app: FastifyInstance;
  engine: Engine;
  workspaceId: string;
  /** With every scope. */
  key: string;
  /** A key of a workspace, the first one unless told. */
  makeKey(scopes: string[], options?: { sandbox?: boolean; workspaceId?: string }): Promise<string>;
  makeWorkspace(): Promise<{ workspaceId: string; key: string }>;
  /** A call as the first key, or as another one; `path` below the workspace. */
  call(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, options?: CallOptions): Promise<Answer>;
}

export interface CallOptions {
  body?: unknown;
  key?: string | null;
  workspaceId?: string;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  json: any;
}

/** Starts the application; it is stopped when the test file ends. */
export async function testApp(env: Record<string, string> = {}): Promise<TestApp> {
  const { database } = await testDatabase();
  const dataDir = await temporaryFolder();
  const config = readConfig({ DATA_DIR: dataDir, LOG_LEVEL: 'silent', ALLOW_PRIVATE_NETWORK: '1', ...env });
  const log = createLogger(config.logLevel);
  const { workspaceId, newApiKey } = await bootstrap(database, {});
  const engine = createEngine({ config, log, secret: randomBytes(32), database, defaultWorkspaceId: workspaceId });
  const app = await createApp({
    engine,
    metrics: new Registry(),
    readiness: { draining: false, isDatabaseUp: () => database.isUp() },
  });
  await app.ready();
  await engine.start();
  whenFileEnds(async () => {
    await app.close();
    await engine.stop();
  });
  const makeKey: TestApp['makeKey'] = async (scopes, options = {}) => {
    const text = newKeyText(options.sandbox ?? false);
    await insertKey(database, { workspaceId: options.workspaceId ?? workspaceId, name: 'Test', text, scopes });
    return text;
  };
  return {
    app,
    engine,
    workspaceId,
    key: newApiKey!,
    makeKey,
    async makeWorkspace() {
      const id = uuidv7();
      await database.query(`insert into workspaces (workspace_id, name) values ($1, 'Other')`, [id]);
      return { workspaceId: id, key: await makeKey(['*'], { workspaceId: id }) };
    },
    async call(method, path, options = {}) {
      const key = options.key === undefined ? newApiKey! : options.key;
      const request: InjectOptions = {
        method,
        url: `/workspaces/${options.workspaceId ?? workspaceId}${path}`,
        headers: { ...(key ? { authorization: `AccessKey ${key}` } : {}), ...options.headers },
        ...(options.body === undefined ? {} : { payload: options.body as object }),
      };
      const response = await app.inject(request);
      const json = response.headers['content-type']?.toString().startsWith('application/json') ? response.json() : undefined;
      return { status: response.statusCode, headers: response.headers, text: response.body, json };
    },
  };
}

/** What a visitor of a live chat writes: through the same door as the widget's. */
export async function visitorWrites(
  engine: Engine,
  sourceChannelId: string,
  message: { visitor: string; text: string; id?: string; name?: string; at?: Date },
): Promise<void> {
  const id = message.id ?? uuidv7();
  const event = {
    type: 'message',
    id,
    visitor: message.visitor,
    conversation: undefined,
    message: { text: message.text },
    at: (message.at ?? new Date()).toISOString(),
    ...(message.name ? { name: message.name } : {}),
  };
  await engine.ingest.submit([
    { source: 'chatplugin', sourceChannelId, contentType: 'application/json', body: Buffer.from(JSON.stringify(event)) },
  ]);
}
