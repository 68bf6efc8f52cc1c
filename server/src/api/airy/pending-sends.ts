/**
 * Messages to conversations that are not there yet: an Airy client may answer faster than the first message is
 * applied. They are held in memory and tried each second for half a minute, each for itself; Airy does the same, and
 * its 202 promises no more.
 */
import type { Engine } from '../../engine/engine.ts';
import { PatchbayError } from '../../model/errors.ts';
import { getConversations } from '../../store/conversations.ts';
import { nativeContent } from './messages.ts';

const EVERY_MS = 1000;
const TRIES = 30;
/** A client that only ever writes to nowhere must not fill the memory. */
const MAX_HELD = 10_000;

interface PendingSend {
  workspaceId: string;
  conversationId: string;
  messageId: string;
  payload: unknown;
  sender: { id: string; name: string };
}

export class PendingSends {
  readonly #engine: Engine;
  #held: (PendingSend & { tries: number })[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Throws `unavailable` when too many wait already. */
  add(send: PendingSend): void {
    if (this.#held.length >= MAX_HELD) throw new PatchbayError('unavailable', 'too many messages wait for their conversations');
    this.#held.push({ ...send, conversationId: send.conversationId.toLowerCase(), tries: 0 });
    this.#timer ??= setInterval(() => void this.#look(), EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#held = [];
  }

  async #look(): Promise<void> {
    const held = this.#held;
    this.#held = [];
    try {
      const there = await this.#appeared(held);
      for (const item of held) {
        if (there.has(item.conversationId)) await this.#send(item);
        else if (++item.tries < TRIES) this.#held.push(item);
      }
    } catch (error) {
      this.#engine.log.warn({ err: error }, 'messages that wait for their conversations could not be looked at; trying again');
      this.#held = [...held.filter((item) => ++item.tries < TRIES), ...this.#held];
    }
    if (this.#held.length === 0) this.stop();
  }

  async #appeared(held: PendingSend[]): Promise<Set<string>> {
    const byWorkspace = Map.groupBy(held, (item) => item.workspaceId);
    const found = await Promise.all(
      [...byWorkspace].map(([workspaceId, items]) =>
        getConversations(
          this.#engine.database,
          workspaceId,
          items.map((item) => item.conversationId),
        ),
      ),
    );
    return new Set(found.flat().map((conversation) => conversation.id));
  }

  async #send({ workspaceId, conversationId, messageId, payload, sender }: PendingSend): Promise<void> {
    const [conversation] = await getConversations(this.#engine.database, workspaceId, [conversationId]);
    if (!conversation) return;
    try {
      const channel = await this.#engine.channels.get(workspaceId, conversation.channelId);
      const content = nativeContent(this.#engine, channel.source, payload);
      await this.#engine.sender.send({ workspaceId, to: { conversationId }, content, sender, messageId });
    } catch (error) {
      if (!(error instanceof PatchbayError)) throw error;
      this.#engine.log.warn({ conversation: conversationId, code: error.code }, `a message that waited was refused: ${error.message}`);
    }
  }
}
