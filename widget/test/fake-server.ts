/**
 * A small real server that keeps the widget's contract (HTTP, uploads, STOMP over WebSocket) in memory, with switches
 * for everything that goes wrong on the way. What it knows outlives `stop` and `start`, as a database would.
 */
import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import multipart from '@fastify/multipart';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import { chooseProtocol, StompSession } from '../../server/src/api/live/stomp.ts';

interface StoredMessage {
  id: string;
  content: unknown;
  sent_at: string;
  delivery_state: string;
  from_contact: boolean;
  source: 'chatplugin';
  metadata: Record<string, unknown> | null;
  sender: { id: string; name: string | null; avatar_url: string | null };
}

interface Conversation {
  id: string;
  ended: boolean;
  messages: StoredMessage[];
  byClientId: Map<string, StoredMessage>;
  /** The event log; an event's cursor is its place in it, from 1. */
  events: string[];
}

interface Listener {
  session: StompSession;
  conversation: Conversation;
}

export const CHANNEL_ID = '018f2f6e-0000-7000-8000-000000000001';

export class FakeServer {
  config: Record<string, unknown> = {};
  channel: { id: string; name: string; image_url: string | null } = { id: CHANNEL_ID, name: 'Fern & Fable', image_url: null };
  conversations = new Map<string, Conversation>();
  receipts: { message_ids: string[]; state: string }[] = [];
  typing: boolean[] = [];
  requests: string[] = [];
  /** Carries the next sends out but breaks the connection before the answer. */
  swallowAnswers = 0;
  /** Answers sends with this status. */
  failSends = 0;
  /** Lets no answer of `send` out before its echo has gone over the WebSocket. */
  echoFirst = false;
  sendGate: Promise<void> | undefined;
  tokensRevoked = 0;
  port = 0;
  #app: FastifyInstance | undefined;
  #listeners = new Set<Listener>();
  #uploads = new Map<string, { data: Buffer; type: string }>();
  #script: () => string;

  /** `script` gives the widget's code for `/widget.js`. */
  constructor(script: () => string) {
    this.#script = script;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The conversation that was written to last. */
  get last(): Conversation {
    return [...this.conversations.values()].at(-1)!;
  }

  get connected(): number {
    return [...this.#listeners].filter(({ session }) => session.subscriptions.size > 0).length;
  }

  async start(): Promise<void> {
    const app = Fastify({ forceCloseConnections: true });
    this.#app = app;
    await app.register(cors, { origin: true, allowedHeaders: ['authorization', 'content-type'] });
    await app.register(multipart);
    app.addHook('onRequest', async (request) => {
      this.requests.push(`${request.method} ${request.url}`);
    });
    for (const path of ['/widget.js', '/chatplugin/ui/s.js'])
      app.get(path, async (_request, reply) => reply.type('text/javascript').send(this.#script()));
    app.get('/widget/config', async () => ({ channel: this.channel, config: this.config }));
    app.post('/chatplugin.authenticate', async (request, reply) => {
      const { channel_id: channelId, resume_token: resumeToken } = request.body as Record<string, string>;
      if (resumeToken) {
        const conversation = this.conversations.get(resumeToken.replace('resume:', ''));
        if (!conversation || conversation.ended) return reply.code(401).send({ message: 'Bad resume token' });
        return { token: this.#token(conversation), messages: conversation.messages };
      }
      if (channelId !== CHANNEL_ID) return reply.code(404).send();
      const conversation: Conversation = { id: randomUUID(), ended: false, messages: [], byClientId: new Map(), events: [] };
      this.conversations.set(conversation.id, conversation);
      return { token: this.#token(conversation), messages: [] };
    });
    app.post('/chatplugin.resumeToken', async (request, reply) => {
      const conversation = this.#authorize(request);
      return conversation ? { resume_token: `resume:${conversation.id}` } : reply.code(403).send();
    });
    app.post('/chatplugin.send', async (request, reply) => {
      const conversation = this.#authorize(request);
      if (!conversation) return reply.code(403).send();
      if (this.failSends) return reply.code(this.failSends).send({ message: 'No' });
      const { message: content, client_id: clientId } = request.body as { message: unknown; client_id: string };
      let message = conversation.byClientId.get(clientId);
      if (!message) {
        message = this.#message(content, true, { id: conversation.id, name: null, avatar_url: null });
        conversation.byClientId.set(clientId, message);
        this.#say(conversation, message);
      }
      await this.sendGate;
      if (this.swallowAnswers > 0) {
        this.swallowAnswers -= 1;
        request.raw.socket.destroy();
        return reply.hijack();
      }
      return message;
    });
    app.post('/chatplugin.end', async (request, reply) => {
      const conversation = this.#authorize(request);
      if (!conversation) return reply.code(403).send();
      conversation.ended = true;
      return reply.code(204).send();
    });
    app.post('/media.upload', async (request, reply) => {
      if (!this.#authorize(request)) return reply.code(403).send();
      const file = await request.file();
      const id = randomUUID();
      this.#uploads.set(id, { data: await file!.toBuffer(), type: file!.mimetype });
      return { media_url: `${this.origin}/media/${id}/${encodeURIComponent(file!.filename)}` };
    });
    app.get('/media/:id/:name', async (request, reply) => {
      const upload = this.#uploads.get((request.params as { id: string }).id);
      return upload ? reply.type(upload.type).send(upload.data) : reply.code(404).send();
    });
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: chooseProtocol });
    app.server.on('upgrade', (request, socket, head) => {
      if (request.url !== '/ws.chatplugin') return socket.destroy();
      sockets.handleUpgrade(request, socket, head, (accepted) => this.#attend(accepted));
    });
    app.addHook('preClose', async () => {
      for (const socket of sockets.clients) socket.terminate();
    });
    await app.listen({ port: this.port, host: '127.0.0.1' });
    this.port = (app.server.address() as { port: number }).port;
  }

  /** Goes away as a killed process does: connections break, memory stays. */
  async stop(): Promise<void> {
    await this.#app?.close();
    this.#app = undefined;
  }

  agentSays(content: unknown, sender: Partial<StoredMessage['sender']> = {}): StoredMessage {
    const message = this.#message(content, false, { id: 'agent-1', name: 'Nora', avatar_url: null, ...sender });
    this.#say(this.last, message);
    return message;
  }

  agentTypes(on: boolean): void {
    this.event({ type: 'typing', on, name: 'Nora' });
  }

  agentReads(): void {
    for (const message of this.last.messages.filter((message) => message.from_contact)) {
      message.delivery_state = 'read';
      this.event({ type: 'state', message_id: message.id, delivery_state: 'read' });
    }
  }

  agentEnds(): void {
    this.last.ended = true;
    this.event({ type: 'ended' });
  }

  revokeTokens(): void {
    this.tokensRevoked += 1;
  }

  event(body: object): void {
    for (const { session } of this.#listeners) session.publish('/user/queue/events', { id: randomUUID(), body: JSON.stringify(body) });
  }

  #message(content: unknown, fromContact: boolean, sender: StoredMessage['sender']): StoredMessage {
    return {
      id: randomUUID(),
      content,
      sent_at: new Date().toISOString(),
      delivery_state: fromContact ? 'delivered' : 'sent',
      from_contact: fromContact,
      source: 'chatplugin',
      metadata: null,
      sender,
    };
  }

  #say(conversation: Conversation, message: StoredMessage): void {
    conversation.messages.push(message);
    conversation.events.push(JSON.stringify({ conversation_id: conversation.id, channel_id: CHANNEL_ID, message }));
    const cursor = conversation.events.length;
    for (const listener of this.#listeners) if (listener.conversation === conversation) this.#replay(listener, cursor - 1);
  }

  #replay({ session, conversation }: Listener, after: number): void {
    for (const [index, body] of conversation.events.entries())
      if (index >= after) session.publish('/user/queue/message', { id: String(index + 1), body });
  }

  #token(conversation: Conversation): string {
    return `token:${this.tokensRevoked}:${conversation.id}`;
  }

  #conversationOf(authorization: string | undefined): Conversation | undefined {
    const [, generation, id] = /^Bearer token:(\d+):(.+)$/.exec(authorization ?? '') ?? [];
    return generation === String(this.tokensRevoked) ? this.conversations.get(id!) : undefined;
  }

  #authorize(request: FastifyRequest): Conversation | undefined {
    return this.#conversationOf(request.headers.authorization);
  }

  #attend(socket: WebSocket): void {
    let listener: Listener | undefined;
    const session = new StompSession({
      handlers: {
        onConnect: ({ Authorization }) => {
          const conversation = this.#conversationOf(Authorization);
          if (!conversation) return { reject: '401 Unauthorized' };
          listener = { session, conversation };
          this.#listeners.add(listener);
          return undefined;
        },
        onSubscribe: ({ destination, headers }) => {
          if (destination === '/user/queue/message' && headers.after && listener) this.#replay(listener, Number(headers.after));
          return undefined;
        },
        onSend: ({ destination, body }) => {
          if (destination === '/app/receipts') this.receipts.push(JSON.parse(body));
          if (destination === '/app/typing') this.typing.push(JSON.parse(body).on);
          return undefined;
        },
        onDisconnect: () => {
          if (listener) this.#listeners.delete(listener);
        },
      },
      write: (text) => socket.send(text),
      close: () => socket.close(),
    });
    socket.on('message', (data, binary) => session.receive(binary ? (data as Buffer) : data.toString()));
    socket.on('close', () => session.ended());
  }
}
