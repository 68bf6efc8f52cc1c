import fastify from 'fastify';
import { registerHooks } from '../../src/api/hooks/hooks.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { SendRequest } from '../../src/engine/send.ts';
import type { Content } from '../../src/model/content.ts';
import type { Message } from '../../src/model/message.ts';
import type { ChannelRow } from '../../src/store/channels.ts';
import { getMessage } from '../../src/store/messages.ts';
import { whenFileEnds } from './cleanup.ts';
import { testEngine } from './engine.ts';
import { freePort, until } from './until.ts';

export interface HookedEngine {
  engine: Engine;
  workspaceId: string;
  /** PUBLIC_URL. */
  url: string;
  rows(text: string, values?: unknown[]): Promise<any[]>;
  send(to: SendRequest['to'], content: Content | string, more?: Partial<SendRequest>): Promise<Message>;
  message(id: string): Promise<Message>;
  /** Waits until the message is in the state. */
  reaches(id: string, state: Message['state']): Promise<Message>;
  conversationOn(channel: ChannelRow): Promise<{ conversationId: string }>;
}

/** A running engine whose webhook addresses listen. `env` gets PUBLIC_URL before the providers' stand-ins are told of it. */
export async function hookedEngine(env: (url: string) => Promise<Record<string, string>>): Promise<HookedEngine> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const engine = await testEngine({ PUBLIC_URL: url, ...(await env(url)) });
  const app = fastify();
  registerHooks(app, engine);
  await app.listen({ port, host: '127.0.0.1' });
  whenFileEnds(() => app.close());
  const workspaceId = engine.defaultWorkspaceId;
  const rows = async (text: string, values: unknown[] = []) => (await engine.database.query(text, values)).rows;
  const message = async (id: string) => (await getMessage(engine.database, workspaceId, id))!;
  return {
    engine,
    workspaceId,
    url,
    rows,
    message,
    send: (to, content, more = {}) =>
      engine.sender.send({
        workspaceId,
        to,
        content: typeof content === 'string' ? { type: 'text', text: content } : content,
        sender: { id: 'test', name: null },
        ...more,
      }),
    reaches: (id, state) =>
      until(
        async () => {
          const found = await message(id);
          if (found.state !== state) throw new Error(`it is ${found.state}: ${JSON.stringify(found.error)}`);
          return found;
        },
        { what: `message ${state}`, timeoutMs: 20_000 },
      ),
    conversationOn: (channel) =>
      until(async () => {
        const [row] = await rows('select id from conversations where channel_id = $1 order by created_at limit 1', [channel.id]);
        return row && { conversationId: row.id as string };
      }),
  };
}
