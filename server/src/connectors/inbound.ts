/** How what a provider says comes in: the addresses that it calls, and sources that are asked. */
import type { ChannelView, HealthReport } from './channel.ts';
import type { HttpClient, ProviderConfig, Spool } from './context.ts';

/** One piece of what a provider said, about one channel: what is made durable, parsed, and replayed. */
export interface RawEvent {
  source: string;
  /** The account that it is about; null when the payload does not say. */
  sourceChannelId: string | null;
  /** Only channels of test keys of this workspace are meant; null: only real ones. Absent: whichever there are. */
  sandboxOf?: string | null;
  /** Our own channel where the sender named it: the event is for this one, whoever else has the same account. */
  channel?: { workspaceId: string; id: string };
  contentType: string;
  /** The provider's bytes; a piece of a larger request is written anew as a request of its own. */
  body: Buffer;
  /** The body as already read, to spare reading it twice. Never stored. */
  value?: unknown;
}

export interface HookRequest {
  method: string;
  /** The full public address as the provider called it, query included, built from PUBLIC_URL. */
  url: string;
  path: string;
  query: Record<string, string>;
  headers: Record<string, string | undefined>;
  body: Buffer;
}

export interface HookReply {
  status: number;
  contentType?: string;
  body?: string;
}

/** An address that a provider calls. */
export interface Hook {
  /** `/hooks/meta`; also matches deeper paths when it ends in `/*`. */
  path: string;
  aliases?: string[];
  /** Answers a handshake or validation call; undefined when the request is no such call. */
  handshake?(request: HookRequest, config: ProviderConfig): HookReply | undefined;
  /** The channels whose credentials `verify` needs, as the unverified request names them. */
  claims?(request: HookRequest): { source: string; sourceChannelId: string }[];
  /** Checks the signature over the raw bytes in constant time. */
  verify(
    request: HookRequest,
    secrets: { config: ProviderConfig; channels: ChannelView[]; http?: HttpClient },
  ): 'ok' | 'missing' | 'wrong' | Promise<'ok' | 'missing' | 'wrong'>;
  /**
   * Is a verified request signed with this channel's own secret? Where secrets are per channel, only such channels may
   * hear of it: the same account can be connected in two workspaces. Default: every channel that it names.
   */
  owns?(request: HookRequest, channel: ChannelView, config: ProviderConfig): boolean;
  /** The verified request → its pieces, each about one channel. Throws on what it cannot read: it is then kept whole. */
  unpack(request: HookRequest): RawEvent[];
  /** The source that a request which cannot be read is filed under. */
  source: string;
  /** The answer once everything is durable; default 200 with an empty body. */
  reply?: HookReply;
}

export interface ReceiveContext {
  signal: AbortSignal;
  spool: Spool;
  cursor: { load(): Promise<unknown>; save(value: unknown): Promise<void> };
  deliver(events: RawEvent[]): Promise<void>;
  /**
   * Waits until a `wake` event for this channel was applied since the last wait, the time is over, or the signal ends.
   * Gives the reasons of the wakes; none when the time is over. Absent: time alone counts.
   */
  wait?(ms: number): Promise<string[]>;
  /** How the mailbox is doing, told on every change; becomes the channel's status. */
  report?(report: HealthReport): Promise<void>;
}
