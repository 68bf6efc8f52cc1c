/** The engine's side of a hook, made small: handshake, verify, unpack, and the wakes that come out. */
import Fastify, { type FastifyInstance } from 'fastify';
import type { Hook, HookRequest, ProviderConfig } from '../../../src/connectors/connector.ts';
import { readMailEvent } from '../../../src/connectors/email/parse.ts';
import type { Mailbox } from '../../../src/connectors/email/settings.ts';

export interface HookServer {
  app: FastifyInstance;
  base: string;
  wakes: string[];
  answers: string[];
}

export async function hookServer(
  hook: Hook,
  channels: () => Mailbox[],
  settings: Record<string, string>,
  woken: (reason: string) => void,
): Promise<HookServer> {
  const app = Fastify();
  const server: HookServer = { app, base: '', wakes: [], answers: [] };
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.post(hook.path, async (incoming, reply) => {
    const request: HookRequest = {
      method: 'POST',
      url: server.base + incoming.url,
      path: hook.path,
      query: incoming.query as Record<string, string>,
      headers: incoming.headers as Record<string, string>,
      body: (incoming.body as Buffer | undefined) ?? Buffer.alloc(0),
    };
    const config: ProviderConfig = { publicUrl: server.base, get: (name) => settings[name], require: (name) => settings[name]! };
    const shaken = hook.handshake?.(request, config);
    if (shaken) return reply.code(shaken.status).type(shaken.contentType!).send(shaken.body);
    const claimed = hook.claims!(request).map((claim) => claim.sourceChannelId);
    const verdict = await hook.verify(request, {
      config,
      channels: channels().filter((channel) => claimed.includes(channel.sourceChannelId)),
    });
    server.answers.push(verdict);
    if (verdict !== 'ok') return reply.code(401).send();
    for (const event of hook.unpack(request)) {
      const [found] = await readMailEvent(event);
      if (found?.kind === 'wake') {
        server.wakes.push(found.reason);
        woken(found.reason);
      }
    }
    return reply.code(hook.reply?.status ?? 200).send();
  });
  server.base = await app.listen({ port: 0, host: '127.0.0.1' });
  return server;
}
