/**
 * The live side of the event log. Whoever follows a workspace gets every event once, in commit order, from the number
 * they ask for: the log is read, and hints between processes only say when to look.
 */
import type { Logger } from 'pino';
import type { LogEvent } from '../model/event.ts';
import type { Database } from '../store/database.ts';
import { eventsAfter, newestSeq } from '../store/events.ts';

const PAGE = 500;

export type FeedListener = (events: LogEvent[]) => void | Promise<void>;

interface Follower {
  workspaceId: string;
  /** Only this conversation's events; undefined: all. */
  conversationId: string | undefined;
  listener: FeedListener;
  /** Events up to here are behind it. */
  seq: number;
}

interface Reader {
  /** Everything up to here was handed out. */
  seq: number;
  followers: Set<Follower>;
  reading: boolean;
  again: boolean;
}

export class Feed {
  readonly #database: Database;
  readonly #log: Logger;
  readonly #readers = new Map<string, Reader>();
  #stop: (() => Promise<void>) | undefined;

  constructor(database: Database, log: Logger) {
    this.#database = database;
    this.#log = log;
  }

  start(): void {
    this.#stop = this.#database.listen('patchbay_events', (payload) => {
      if (payload === null || payload === '*') {
        for (const workspaceId of this.#readers.keys()) this.#look(workspaceId);
        return;
      }
      for (const workspaceId of payload.split(',')) this.#look(workspaceId);
    });
  }

  async stop(): Promise<void> {
    await this.#stop?.();
    this.#readers.clear();
  }

  /**
   * Follows a workspace. `after`: the last event that the listener has seen; what came since is handed over first.
   * Without it, from now on. Gives the number it starts after, and a way to end it.
   */
  async follow(
    workspaceId: string,
    listener: FeedListener,
    options: { after?: number; conversationId?: string } = {},
  ): Promise<{ seq: number; end: () => void }> {
    const newest = await newestSeq(this.#database, workspaceId);
    const seq = Math.min(options.after ?? newest, newest);
    let reader = this.#readers.get(workspaceId);
    if (!reader) {
      reader = { seq: newest, followers: new Set(), reading: false, again: false };
      this.#readers.set(workspaceId, reader);
    }
    const follower: Follower = { workspaceId, conversationId: options.conversationId, listener, seq };
    if (seq < reader.seq) await this.#catchUp(follower, reader);
    reader.followers.add(follower);
    this.#look(workspaceId);
    return {
      seq,
      end: () => {
        reader.followers.delete(follower);
        if (reader.followers.size === 0 && this.#readers.get(workspaceId) === reader) this.#readers.delete(workspaceId);
      },
    };
  }

  async #catchUp(follower: Follower, reader: Reader): Promise<void> {
    while (follower.seq < reader.seq) {
      const events = await eventsAfter(this.#database, follower.workspaceId, follower.seq, PAGE);
      if (events.length === 0) return;
      await this.#hand(follower, events);
    }
  }

  #look(workspaceId: string): void {
    const reader = this.#readers.get(workspaceId);
    if (!reader) return;
    if (reader.reading) {
      reader.again = true;
      return;
    }
    reader.reading = true;
    this.#read(workspaceId, reader)
      .catch((error) => {
        this.#log.warn({ err: error, workspace: workspaceId }, 'the event log could not be read; trying again');
        setTimeout(() => this.#look(workspaceId), 500).unref();
      })
      .finally(() => {
        reader.reading = false;
        if (reader.again) {
          reader.again = false;
          this.#look(workspaceId);
        }
      });
  }

  async #read(workspaceId: string, reader: Reader): Promise<void> {
    for (;;) {
      const events = await eventsAfter(this.#database, workspaceId, reader.seq, PAGE);
      if (events.length === 0) return;
      reader.seq = events.at(-1)!.seq;
      await Promise.all([...reader.followers].map((follower) => this.#hand(follower, events)));
      if (events.length < PAGE) return;
    }
  }

  async #hand(follower: Follower, events: LogEvent[]): Promise<void> {
    const wanted = events.filter(
      (event) => event.seq > follower.seq && (!follower.conversationId || event.conversationId === follower.conversationId),
    );
    follower.seq = Math.max(follower.seq, events.at(-1)!.seq);
    if (wanted.length === 0) return;
    try {
      await follower.listener(wanted);
    } catch (error) {
      this.#log.warn({ err: error, workspace: follower.workspaceId }, 'a listener of the event log failed');
    }
  }
}
