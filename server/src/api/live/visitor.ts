/** Visitors of a web page: their tokens, and which pages may speak for a channel. */
import { jwtVerify, SignJWT } from 'jose';
import type { Engine } from '../../engine/engine.ts';
import { isConnected } from '../../model/channel.ts';
import { isUuid } from '../../model/ids.ts';
import { type ChannelRow, findChannel, getChannel } from '../../store/channels.ts';
import { getConversation } from '../../store/conversations.ts';

const TOKEN_SECONDS = 3600;
const RESUME_SECONDS = 7 * 24 * 3600;

/** One visitor in one chat. The conversation exists only once the first message was written. */
export interface Visitor {
  workspaceId: string;
  channelId: string;
  conversationId: string;
}

export class Visitors {
  readonly #engine: Engine;
  readonly #key: Buffer;
  readonly #ownOrigin: string;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#key = engine.vault.derive('chatplugin');
    this.#ownOrigin = new URL(engine.config.publicUrl).origin;
  }

  token(visitor: Visitor): Promise<string> {
    const { workspaceId, channelId, conversationId } = visitor;
    return new SignJWT({ conversation_id: conversationId, channel_id: channelId, workspace_id: workspaceId })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(conversationId)
      .setAudience('visitor')
      .setIssuedAt()
      .setExpirationTime(`${TOKEN_SECONDS}s`)
      .sign(this.#key);
  }

  resumeToken(visitor: Visitor): Promise<string> {
    const { workspaceId, channelId, conversationId } = visitor;
    return new SignJWT({ resume_conversation_id: conversationId, resume_channel_id: channelId, workspace_id: workspaceId })
      .setProtectedHeader({ alg: 'HS256' })
      .setAudience('resume')
      .setIssuedAt()
      .setExpirationTime(`${RESUME_SECONDS}s`)
      .sign(this.#key);
  }

  /** Who shows this `Authorization` header; undefined when the token is wrong or its time is over. */
  async byToken(authorization: string | undefined): Promise<Visitor | undefined> {
    const claims = await this.#claims(authorization?.replace(/^Bearer\s+/i, '').trim(), 'visitor');
    return claims && visitorOf(claims.workspace_id, claims.channel_id, claims.conversation_id);
  }

  async byResumeToken(token: string): Promise<Visitor | undefined> {
    const claims = await this.#claims(token, 'resume');
    return claims && visitorOf(claims.workspace_id, claims.resume_channel_id, claims.resume_conversation_id);
  }

  /** The connected live-chat channel with this id, whatever the workspace. */
  async openChannel(id: string): Promise<ChannelRow | undefined> {
    return usable(await findChannel(this.#engine.database, id));
  }

  /** The visitor's channel, while it is connected. */
  async channelOf(visitor: Visitor): Promise<ChannelRow | undefined> {
    return usable(await getChannel(this.#engine.database, visitor.workspaceId, visitor.channelId));
  }

  /** True once the visitor ended this chat; a new one is a new conversation. */
  async hasEnded(visitor: Visitor): Promise<boolean> {
    const conversation = await getConversation(this.#engine.database, visitor.workspaceId, visitor.conversationId);
    return conversation?.metadata.ended_at !== undefined;
  }

  /** May a page of this origin embed the channel? Who sends no origin is no browser, and cannot be told. */
  allows(channel: ChannelRow, origin: string | undefined): boolean {
    const allowed = channel.settings.allowed_origins;
    if (!origin || !Array.isArray(allowed) || allowed.length === 0) return true;
    return origin === this.#ownOrigin || allowed.some((item) => typeof item === 'string' && item.toLowerCase() === origin.toLowerCase());
  }

  async #claims(token: string | undefined, audience: string): Promise<Record<string, unknown> | undefined> {
    if (!token) return undefined;
    try {
      return (await jwtVerify(token, this.#key, { algorithms: ['HS256'], audience })).payload;
    } catch {
      return undefined;
    }
  }
}

function usable(channel: ChannelRow | undefined): ChannelRow | undefined {
  return channel?.source === 'chatplugin' && isConnected(channel.status) ? channel : undefined;
}

function visitorOf(workspaceId: unknown, channelId: unknown, conversationId: unknown): Visitor | undefined {
  if (!isUuid(workspaceId) || !isUuid(channelId) || !isUuid(conversationId)) return undefined;
  return { workspaceId, channelId, conversationId };
}
