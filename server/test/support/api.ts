import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { createApp } from '../../src/api/app.ts';
import type { Engine, EngineParts } from '../../src/engine/engine.ts';
import { uuidv7 } from '../../src/model/ids.ts';
import { insertKey, newKeyText } from '../../src/store/keys.ts';
import { testEngine } from './engine.ts';

export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  /** The JSON body; undefined when there is none. */
  body: any;
}

export interface Caller {
  workspaceId: string;
  key: string;
  call(method: string, url: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export interface TestApi extends Caller {
  engine: Engine;
  app: FastifyInstance;
  /** Another key; in another workspace unless told. */
  caller(options?: { workspaceId?: string; scopes?: string[]; sandbox?: boolean }): Promise<Caller>;
}

/** The whole HTTP server over a running engine, called without sockets. */
export async function testApi(env: Record<string, string> = {}, parts: Pick<EngineParts, 'registry' | 'dns'> = {}): Promise<TestApi> {
  const engine = await testEngine(env, parts);
  const app = await createApp({
    engine,
    metrics: new Registry(),
    readiness: { draining: false, isDatabaseUp: () => engine.database.isUp() },
  });
  await app.ready();

  const callerWith = (workspaceId: string, key: string): Caller => ({
    workspaceId,
    key,
    async call(method, url, body, headers = {}) {
      const answer = await app.inject({
        method: method as 'GET',
        url,
        headers: { ...(key ? { 'x-api-key': key } : {}), ...headers },
        ...(body === undefined ? {} : { payload: body as object }),
      });
      let json: unknown;
      try {
        json = answer.body === '' ? undefined : JSON.parse(answer.body);
      } catch {
        json = undefined;
      }
      return { status: answer.statusCode, headers: answer.headers, text: answer.body, body: json };
    },
  });
  const caller: TestApi['caller'] = async ({ workspaceId, scopes = ['*'], sandbox = false } = {}) => {
    const id = workspaceId ?? uuidv7();
    await engine.database.query(`insert into workspaces (workspace_id, name) values ($1, 'Another') on conflict do nothing`, [id]);
    const text = newKeyText(sandbox);
    await insertKey(engine.database, { workspaceId: id, name: 'test', text, scopes });
    return callerWith(id, text);
  };
  return { ...(await caller({ workspaceId: engine.defaultWorkspaceId })), engine, app, caller };
}
