import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { createApp } from '../../src/api/app.ts';
import { drain } from '../../src/api/http.ts';
import { readConfig } from '../../src/config.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { createLogger } from '../../src/log.ts';
import { insertKey, newKeyText } from '../../src/store/keys.ts';
import { whenFileEnds } from './cleanup.ts';
import { testDatabase } from './database.ts';

/** A workspace of a test, and a key to it. */
export interface TestWorkspace {
  id: string;
  key: string;
  /** Calls a route of the Airy surface; the body is sent as JSON. */
  call(name: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  json: any;
}

export interface TestApp {
  app: FastifyInstance;
  engine: Engine;
  /** Those of the surfaces, as `POST /channels.list`. */
  routes: string[];
  workspace(scopes?: string[]): Promise<TestWorkspace>;
  /** Any request, with a key or without. */
  post(name: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The address once it listens. */
  listen(): Promise<string>;
}

/** The whole server of one process on a database of its own; ended with the test file. `database`: shared with another one. */
export async function testApp(env: Record<string, string> = {}, shared?: TestApp): Promise<TestApp> {
  const database = shared?.engine.database ?? (await testDatabase()).database;
  const dataDir = await mkdtemp(join(tmpdir(), 'patchbay-app-'));
  const config = readConfig({
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
    DATA_DIR: dataDir,
    SMTP_INBOUND_PORT: '0',
    PUBLIC_URL: 'https://patchbay.test',
    ...env,
  });
  const defaultWorkspaceId = await addWorkspace();
  const secret = randomBytes(32);
  const engine = createEngine({
    config,
    log: createLogger(config.logLevel),
    secret: config.secret ?? secret,
    database,
    defaultWorkspaceId,
  });
  const app = await createApp({ engine, metrics: new Registry(), readiness: { draining: false, isDatabaseUp: () => database.isUp() } });
  whenFileEnds(async () => {
    await drain(app);
    await engine.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  await app.ready();
  await engine.start();

  async function addWorkspace(): Promise<string> {
    const id = randomUUID();
    await database.query(`insert into workspaces (workspace_id, name) values ($1, 'test')`, [id]);
    return id;
  }

  async function post(name: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await app.inject({
      method: 'POST',
      url: `/${name}`,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.statusCode, headers: response.headers, text: response.body, json: jsonOf(response.body) };
  }

  return {
    app,
    engine,
    routes: routesOf(app),
    post,
    async workspace(scopes = ['*']) {
      const id = await addWorkspace();
      const key = newKeyText(false);
      await insertKey(database, { workspaceId: id, name: 'Test', text: key, scopes });
      return { id, key, call: (name, body, headers) => post(name, body, { authorization: `Bearer ${key}`, ...headers }) };
    },
    listen: () => app.listen({ port: 0, host: '127.0.0.1' }),
  };
}

/** The tree that Fastify prints, put together again. */
function routesOf(app: FastifyInstance): string[] {
  const path: string[] = [];
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent, part, methods] = /^(.*?)[├└]── (\S*)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
      if (indent === undefined) return [];
      const depth = indent.length / 4;
      path.splice(depth, path.length, part!);
      return (methods?.split(', ') ?? []).map((method) => `${method} ${path.join('')}`);
    });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
