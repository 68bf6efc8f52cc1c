/**
 * Fans the event log out to this process's WebSockets: each workspace's log is followed once, each batch is loaded
 * and written as JSON once, and visitors are found by their conversation.
 */
import type { Engine } from '../../engine/engine.ts';
import type { LogEvent } from '../../model/event.ts';
import { conversationEventsAfter } from '../../store/events.ts';
import { Show } from '../airy/show.ts';
import { agentFrames, type VisitorFrame, visitorFrames } from './frames.ts';
import { type Hydrated, hydrate } from './hydrate.ts';

/** A body, with an id that no other body of the workspace has. */
export interface AgentFrame {
  id: string;
  body: string;
  /** It is about a channel that was made with a test key. */
  sandbox: boolean;
}
/** Called with the bodies of a batch. */
export type AgentListener = (frames: AgentFrame[]) => void;
export type VisitorListener = (frames: VisitorFrame[]) => void;

/** Events that are read at a time for a visitor who was away. */
const REPLAY_PAGE = 500;

interface Room {
  agents: Set<AgentListener>;
  visitors: Map<string, Set<VisitorListener>>;
  following: Promise<{ end: () => void }>;
}

export class LiveHub {
  readonly #engine: Engine;
  readonly #show: Show;
  readonly #rooms = new Map<string, Room>();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#show = new Show(engine);
  }

  /** Follows everything of a workspace from now on; gives how to stop. */
  async joinAgents(workspaceId: string, listener: AgentListener): Promise<() => void> {
    const room = this.#room(workspaceId);
    room.agents.add(listener);
    const leave = () => {
      room.agents.delete(listener);
      this.#leaveRoom(workspaceId, room);
    };
    await this.#followed(room, leave);
    return leave;
  }

  /** Follows one conversation from now on; gives how to stop. */
  async joinConversation(workspaceId: string, conversationId: string, listener: VisitorListener): Promise<() => void> {
    const room = this.#room(workspaceId);
    const listeners = room.visitors.get(conversationId) ?? new Set();
    room.visitors.set(conversationId, listeners.add(listener));
    const leave = () => {
      listeners.delete(listener);
      if (listeners.size === 0 && room.visitors.get(conversationId) === listeners) room.visitors.delete(conversationId);
      this.#leaveRoom(workspaceId, room);
    };
    await this.#followed(room, leave);
    return leave;
  }

  /** What a conversation's visitor was told after `seq`, a page at a time: `seq` is how far this one goes. */
  async replay(workspaceId: string, conversationId: string, seq: number): Promise<{ frames: VisitorFrame[]; seq: number; more: boolean }> {
    const events = await conversationEventsAfter(this.#engine.database, workspaceId, conversationId, seq, REPLAY_PAGE);
    const loaded = await hydrate(this.#engine, this.#show, workspaceId, events, false);
    // Who was typing while the visitor was away is of no interest any more.
    const frames = events.filter((event) => event.type !== 'typing').flatMap((event) => visitorFrames(event, loaded, this.#show.write));
    return { frames, seq: events.at(-1)?.seq ?? seq, more: events.length === REPLAY_PAGE };
  }

  #room(workspaceId: string): Room {
    const known = this.#rooms.get(workspaceId);
    if (known) return known;
    const room: Room = {
      agents: new Set(),
      visitors: new Map(),
      following: this.#engine.feed.follow(workspaceId, (events) => this.#tell(workspaceId, room, events)),
    };
    this.#rooms.set(workspaceId, room);
    return room;
  }

  async #followed(room: Room, leave: () => void): Promise<void> {
    try {
      await room.following;
    } catch (error) {
      leave();
      throw error;
    }
  }

  #leaveRoom(workspaceId: string, room: Room): void {
    if (room.agents.size > 0 || room.visitors.size > 0 || this.#rooms.get(workspaceId) !== room) return;
    this.#rooms.delete(workspaceId);
    // A room that could not be followed has nothing to end; who waited for it was told.
    room.following.then(
      (following) => following.end(),
      () => undefined,
    );
  }

  async #tell(workspaceId: string, room: Room, events: LogEvent[]): Promise<void> {
    const forAgents = room.agents.size > 0;
    const wanted = forAgents ? events : events.filter((event) => event.conversationId && room.visitors.has(event.conversationId));
    if (wanted.length === 0) return;
    const loaded = await hydrate(this.#engine, this.#show, workspaceId, wanted, forAgents);
    if (forAgents) {
      const frames = wanted.flatMap((event) =>
        agentFrames(event, loaded, this.#show.write).map((body, n) => ({
          id: `${event.seq}-${n}`,
          body,
          sandbox: isSandboxed(event, loaded),
        })),
      );
      for (const listener of room.agents) listener(frames);
    }
    for (const event of wanted) {
      const listeners = event.conversationId ? room.visitors.get(event.conversationId) : undefined;
      if (!listeners) continue;
      const frames = visitorFrames(event, loaded, this.#show.write);
      if (frames.length > 0) for (const listener of listeners) listener(frames);
    }
  }
}

/** What belongs to no channel, a tag say, is everybody's. */
function isSandboxed(event: LogEvent, loaded: Hydrated): boolean {
  const conversationIds = [event.conversationId ?? [], loaded.conversationsOfContact.get(event.contactId ?? '') ?? []].flat();
  const channels = [loaded.channels.get(event.channelId ?? ''), ...conversationIds.map((id) => loaded.conversations.get(id)?.channel)];
  return channels.every((channel) => channel === undefined || channel.sandbox);
}
