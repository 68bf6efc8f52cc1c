/** `/ws.chatplugin`: a visitor's widget follows its own conversation, and says what needs no answer. */
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import Type from 'typebox';
import { Value } from 'typebox/value';
import type { WebSocket } from 'ws';
import type { ChatEvent } from '../../connectors/chatplugin/index.ts';
import type { Engine } from '../../engine/engine.ts';
import { submitChatEvent } from '../../engine/visitor-events.ts';
import { isUuid } from '../../model/ids.ts';
import { getMessages } from '../../store/messages.ts';
import { readJson } from '../json-body.ts';
import type { VisitorFrame } from './frames.ts';
import type { LiveHub } from './hub.ts';
import { attend } from './socket.ts';
import type { StompReject, StompSession } from './stomp.ts';
import { type Visitor, Visitors } from './visitor.ts';

const QUEUES = { message: '/user/queue/message', events: '/user/queue/events' } as const;
/** A widget repeats itself every few seconds; the same said more often is not listened to. */
const TYPING_EVERY_MS = 1000;
/** Who says more waits, and is cut off by the session when too much waits: what was read is told once, so none is dropped. */
const FRAMES_EVERY_MS = 100;
const UNAUTHORIZED: StompReject = { reject: '401 Unauthorized' };

const Typing = Type.Object({ on: Type.Boolean() });
const Receipts = Type.Object({
  message_ids: Type.Array(Type.String({ pattern: '^[0-9a-fA-F-]{36}$' }), { maxItems: 200 }),
  state: Type.Union([Type.Literal('delivered'), Type.Literal('read')]),
});

export class VisitorSockets {
  readonly #engine: Engine;
  readonly #hub: LiveHub;
  readonly #visitors: Visitors;

  constructor(engine: Engine, hub: LiveHub) {
    this.#engine = engine;
    this.#hub = hub;
    this.#visitors = new Visitors(engine);
  }

  attend(socket: WebSocket, request: IncomingMessage): void {
    const { origin } = request.headers;
    let client: VisitorClient | undefined;
    attend(socket, this.#engine.log, (session) => ({
      onConnect: async (headers) => {
        const visitor = await this.#admit(headers.Authorization ?? headers.authorization, origin);
        if (!visitor) return UNAUTHORIZED;
        client = new VisitorClient(this.#engine, this.#hub, this.#visitors, visitor, session);
        return undefined;
      },
      onSubscribe: ({ destination, headers }) => client!.subscribe(destination, headers.after),
      onSend: async ({ destination, body }) => {
        await client!.hear(destination, body);
        return undefined;
      },
      onDisconnect: () => client?.leave(),
    }));
  }

  async #admit(authorization: string | undefined, origin: string | undefined): Promise<Visitor | undefined> {
    const visitor = await this.#visitors.byToken(authorization);
    const channel = visitor && (await this.#visitors.channelOf(visitor));
    if (!visitor || !channel || !this.#visitors.allows(channel, origin)) return undefined;
    return (await this.#visitors.hasEnded(visitor)) ? undefined : visitor;
  }
}

/** One visitor's connection after its token was found good. */
class VisitorClient {
  readonly #engine: Engine;
  readonly #hub: LiveHub;
  readonly #visitors: Visitors;
  readonly #visitor: Visitor;
  readonly #session: () => StompSession;
  #leave: (() => void) | undefined;
  #joining: Promise<void> | undefined;
  #over = false;
  /** While what was missed is loaded, what happens now waits behind it. */
  #waiting: VisitorFrame[] | undefined;
  #heardAt = 0;
  #typing = { on: false, at: 0 };

  constructor(engine: Engine, hub: LiveHub, visitors: Visitors, visitor: Visitor, session: () => StompSession) {
    this.#engine = engine;
    this.#hub = hub;
    this.#visitors = visitors;
    this.#visitor = visitor;
    this.#session = session;
  }

  async subscribe(destination: string, after: string | undefined): Promise<undefined> {
    if (destination !== QUEUES.message && destination !== QUEUES.events) return undefined;
    const replays = destination === QUEUES.message && after !== undefined && /^\d{1,15}$/.test(after);
    if (replays) this.#waiting ??= [];
    this.#joining ??= this.#join();
    await this.#joining;
    if (replays) await this.#catchUp(Number(after));
    return undefined;
  }

  /** What the widget says. Nonsense is not answered: nothing depends on it. */
  async hear(destination: string, text: string): Promise<void> {
    let body: unknown;
    try {
      body = readJson(text);
    } catch {
      return;
    }
    await this.#inTurn();
    if (destination === '/app/typing' && Value.Check(Typing, body) && this.#isNews(body.on)) {
      await this.#submit({ type: 'typing', visitor: this.#visitor.conversationId, on: body.on });
    }
    if (destination === '/app/receipts' && Value.Check(Receipts, body)) {
      const messages = await this.#own(body.message_ids);
      if (messages.length > 0) {
        await this.#submit({ type: 'receipt', messages, state: body.state, at: new Date().toISOString() });
      }
    }
  }

  leave(): void {
    this.#over = true;
    this.#leave?.();
  }

  async #join(): Promise<void> {
    const { workspaceId, conversationId } = this.#visitor;
    const stop = await this.#hub.joinConversation(workspaceId, conversationId, (frames) => {
      if (this.#waiting) this.#waiting.push(...frames);
      else this.#deliver(frames);
    });
    if (this.#over) stop();
    else this.#leave = stop;
  }

  /** Joined before it is read: an event is in the log, or comes live, or both; each is told once. */
  async #catchUp(after: number): Promise<void> {
    let seq = after;
    let more = true;
    while (more && !this.#over) {
      const missed = await this.#hub.replay(this.#visitor.workspaceId, this.#visitor.conversationId, seq);
      this.#deliver(missed.frames);
      ({ seq, more } = missed);
    }
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#deliver(waiting.filter((frame) => frame.seq > seq));
  }

  #deliver(frames: VisitorFrame[]): void {
    for (const { seq, queue, body } of frames) this.#session().publish(QUEUES[queue], { id: String(seq), body });
  }

  async #own(ids: string[]): Promise<string[]> {
    const { workspaceId, conversationId } = this.#visitor;
    const uuids = ids.filter((id) => isUuid(id));
    const messages = await getMessages(this.#engine.database, workspaceId, uuids);
    return messages.filter((message) => message.conversationId === conversationId && message.direction === 'out').map(({ id }) => id);
  }

  async #submit(event: ChatEvent): Promise<void> {
    const channel = await this.#visitors.channelOf(this.#visitor);
    if (channel) await submitChatEvent(this.#engine, channel, event);
  }

  async #inTurn(): Promise<void> {
    const waitMs = this.#heardAt + FRAMES_EVERY_MS - Date.now();
    if (waitMs > 0) await sleep(waitMs);
    this.#heardAt = Date.now();
  }

  #isNews(on: boolean): boolean {
    const now = Date.now();
    if (on === this.#typing.on && now - this.#typing.at < TYPING_EVERY_MS) return false;
    this.#typing = { on, at: now };
    return true;
  }
}
