/**
 * What a connector is. One provider folder holds one `defineProvider({...})`: its sources, each declared once as typed
 * data and functions, and the webhooks they share. A connector does no I/O but through `ConnectorContext.http`, keeps
 * no state, and never imports the store, the engine or a web framework, so it can be read, tested and fuzzed alone.
 */
import type { Readable } from 'node:stream';
import type { Static, TObject } from 'typebox';
import type { Capabilities } from '../model/capabilities.ts';
import type { Content, MediaRef } from '../model/content.ts';
import type { InboundEvent, ThreadRef } from './events.ts';

export type { InboundEvent, ThreadRef } from './events.ts';

/** The settings of the whole installation that connectors may read; names as in the environment. */
export interface ProviderConfig {
  publicUrl: string;
  get(name: string): string | undefined;
  /** The setting, or a `setting-missing` error that names the variable. */
  require(name: string): string;
}

export interface HttpRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array | FormData;
  /** Milliseconds for the whole exchange; 10,000 unless told. */
  timeoutMs?: number;
  /** Largest answer that is read, in bytes; 10 MB unless told. */
  maxBytes?: number;
  /** False: an answer that sends elsewhere is the answer. */
  followRedirects?: boolean;
  /** Takes the body of a good answer (2xx) as it comes, in place of holding it: `HttpResponse.body` is then empty. */
  into?: (body: AsyncIterable<Buffer>) => Promise<void>;
}

export interface HttpResponse {
  status: number;
  headers: Headers;
  body: Buffer;
  /** The body as JSON; undefined when it is not. */
  json(): unknown;
  text(): string;
}

/**
 * The way out: refuses private addresses (redirects and rebinding included) unless the installation allows them.
 * Throws `ProviderError`: `retry` when the provider could not be reached at all (nothing was sent), `unknown-outcome`
 * when the connection broke or timed out after the request was written.
 */
export type HttpClient = (url: string, request?: HttpRequest) => Promise<HttpResponse>;

export interface ConnectorContext {
  http: HttpClient;
  config: ProviderConfig;
  now(): Date;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Opens a stored medium for sending; undefined when it is gone. */
  openMedia(id: string): Promise<{ data: Buffer; mimeType: string; filename?: string } | undefined>;
  /** A signed public address of a stored medium that the provider may fetch for the next hours. */
  mediaUrl(id: string): string;
  /** A small per-channel memory for things worth keeping between calls (uploaded media ids, access tokens). */
  memo: {
    get(key: string): Promise<unknown>;
    set(key: string, value: unknown, ttlSeconds: number): Promise<void>;
    /** True for the first who asks, in every process, until it is dropped or its time is over: what must not be done twice at once. */
    claim(key: string, ttlSeconds: number): Promise<boolean>;
    drop(key: string): Promise<void>;
  };
  /**
   * For protocols that are no HTTP (SMTP, IMAP): the address to dial for a host, refusing what `http` would refuse.
   * Throws `ProviderError`. Absent: the system's resolver, everything allowed.
   */
  resolveHost?(host: string): Promise<string>;
  /** A channel made with a test key: whatever speaks no HTTP must not leave the house either. */
  sandbox?: boolean;
  /** What is known here of a mail domain. */
  mailDomain?(domain: string): Promise<MailDomain>;
}

/** A mail domain as the channel's workspace has it. */
export interface MailDomain {
  /** The workspace that the domain's DNS records speak for. */
  owner: 'us' | 'somebody else' | 'nobody';
  /** It was verified, and the records that it needs are missing now. */
  failing: boolean;
  /** What mail from the domain is signed with, once the DNS has the key. */
  dkim?: { selector: string; privateKey: string };
}

/** Bytes that were made safe: in memory while they are few, else in a file. */
export interface Kept {
  /** All of them; of those in a file the beginning. */
  body: Buffer;
  size: number;
  /** The file's name: what `Spool.open` takes. */
  file?: string;
}

/** Where bytes go that are too many to be held in memory. */
export interface Spool {
  /** Resolves once they are on the disk. Throws `unavailable` when that is full; what the source throws is passed on. */
  keep(source: AsyncIterable<Buffer>): Promise<Kept>;
  open(file: string): Readable;
}

/** A channel as its connector sees it. */
export interface ChannelView<S = Record<string, unknown>, C = Record<string, unknown>> {
  id: string;
  workspaceId: string;
  sourceChannelId: string;
  name: string;
  sandbox: boolean;
  settings: S;
  credentials: C;
  details: Record<string, unknown>;
}

/** What `connect` found out. Nothing is stored when it throws. */
export interface Connected<S, C> {
  sourceChannelId: string;
  /** The account's own name, used when the caller gave none. */
  name?: string;
  imageUrl?: string;
  settings: S;
  credentials: C;
  /**
   * What the provider told about the account; shown. `ownNames` (`{ source, sourceChannelId }`): how a source that
   * somebody brought calls itself and its channel, where a surface shows such names.
   */
  details?: Record<string, unknown>;
  status?: 'active' | 'pending' | 'warning';
  statusReason?: string;
}

/** An account that could be connected. */
export interface Candidate {
  sourceChannelId: string;
  name: string;
  imageUrl?: string;
  /** Fields that `connect` wants for this account, where `explore` already knows them. */
  input?: Record<string, unknown>;
}

/** How the channel is doing at the provider. */
export interface HealthReport {
  status: 'active' | 'pending' | 'warning' | 'failed';
  /** Why, and what to do about it. */
  reason?: string;
  details?: Record<string, unknown>;
  /** When the credentials end. */
  expiresAt?: Date;
  checks?: { name: string; ok: boolean; message?: string }[];
  /** Renewed by the check (tokens that end): kept in place of the present ones. */
  credentials?: Record<string, unknown>;
}

export interface OutboundMessage {
  /** Our id; to be handed to the provider wherever it takes one of ours. */
  id: string;
  /** The contact's addresses on this source, best first: `{ kind: 'phonenumber', value: '+49…' }`. */
  to: { kind: string; value: string }[];
  content: Content;
  /** Which part of a message this is, where others follow it (`Connector.parts`): an echo is told apart by it. */
  part?: number;
  /** The provider's id of the message this one answers. */
  replyToProviderId?: string;
  /** The window tag to send with (`HUMAN_AGENT`). */
  tag?: string;
  /** When the provider should send it. */
  sendAt?: Date;
  /** When it is of no use any more: providers that can give up by then are told. */
  validUntil?: Date;
  /** When the call began whose outcome `settle` asks for; without it a provider's list that lags proves nothing. */
  calledAt?: Date;
  /** Our conversation, for sources that tell the far end about it. */
  conversation?: { id: string; createdAt: Date };
  /** Mail thread and other facts about the conversation that the connector itself put there. */
  thread?: ThreadRef;
}

/** The provider took the message. */
export interface SendReceipt {
  providerId: string;
  /** `sent` unless the provider knows more already; `scheduled` when it keeps the message until its time. */
  state?: 'scheduled' | 'sent' | 'delivered' | 'read';
  /** What was handed to the provider. */
  payload?: unknown;
  /** What the provider said about it; kept in the message's metadata. */
  details?: Record<string, unknown>;
  /** Merged into the conversation's thread data, for the messages that follow. */
  threadData?: Record<string, unknown>;
}

/** Which of a provider's ids belong to messages of the channel that are known. */
export type IsKnown = (providerIds: string[]) => Promise<Set<string>>;

/** What an unsettled message became, as the provider knows it now. */
export type Settlement =
  | { outcome: 'accepted'; providerId: string; state: 'sent' | 'delivered' | 'read' }
  | { outcome: 'failed'; code?: string; message: string }
  | { outcome: 'never-received' }
  | { outcome: 'unknown' };

/** What a message costs in parts, before it is sent. */
export interface Estimate {
  parts: number;
  /** The alphabet that it is sent in (`GSM-7`, `UCS-2`). */
  encoding: string;
  /** Units of that alphabet, and how many more fit before another part begins. */
  units: number;
  remaining: number;
  /** How it could be sent in fewer, in plain words. */
  notes: string[];
}

/** How fast a channel may be written to. */
export interface Pacing {
  /** Messages a second over the whole channel. */
  perSecond: number;
  /** To one recipient: a burst, then one each `everyMs`. */
  perRecipient?: { burst: number; everyMs: number };
}

export interface ProviderTemplate {
  name: string;
  language: string;
  /** Verbatim, as the provider writes it. */
  status: string;
  category?: string;
  quality?: string;
  rejectedReason?: string;
  providerRef?: string;
  /** In the provider's own shape. */
  components: unknown[];
}

export interface NewTemplate {
  name: string;
  language: string;
  category: string;
  components: unknown[];
}

export interface TemplateOperations<S, C> {
  /** Every template of the channel's account, over all pages; throws when any page fails. */
  list(channel: ChannelView<S, C>, context: ConnectorContext): Promise<ProviderTemplate[]>;
  create(template: NewTemplate, channel: ChannelView<S, C>, context: ConnectorContext): Promise<ProviderTemplate>;
  edit?(template: ProviderTemplate, channel: ChannelView<S, C>, context: ConnectorContext): Promise<ProviderTemplate>;
  delete?(
    template: { name: string; language?: string; providerRef?: string },
    channel: ChannelView<S, C>,
    context: ConnectorContext,
  ): Promise<void>;
  /** The id that channels of one account share their templates under (WABA id). */
  account(channel: ChannelView<S, C>): string;
  /** Checks the values against the stored template: problems in plain words, and what the customer will read. */
  render(template: ProviderTemplate, content: Extract<Content, { type: 'template' }>): { problems: string[]; text: string };
}

/** What `consent.start` hands out: where to send the browser, and what to keep (server-side) until it returns. */
export interface ConsentRequest {
  url: string;
  keep: Record<string, string>;
}

export interface ConsentOperations<S, C> {
  /** True for channels of this source that are granted access in the browser; default: all of them. Needs no secret. */
  applies?(channel: ChannelView<S, C>): boolean;
  start(
    channel: ChannelView<S, C>,
    context: ConnectorContext,
    request: { redirectUri: string; state: string },
  ): Promise<ConsentRequest | undefined>;
  /** The browser came back with a code: the channel as it is now, to be stored as after `connect`. Throws `ProviderError`. */
  finish(
    channel: ChannelView<S, C>,
    context: ConnectorContext,
    answer: { redirectUri: string; code: string; keep: Record<string, string> },
  ): Promise<Connected<S, C>>;
}

export interface Profile {
  name?: string;
  avatarUrl?: string;
}

/** One thing to be entered elsewhere. */
export interface SetupRow {
  label: string;
  value: string;
  help?: string;
  /** A secret that we share with the far end. */
  secret?: true;
}

/** One source, declared once. */
export interface Connector<S = any, C = any, I = any> {
  source: string;
  title: string;
  /** One sentence for the catalog. */
  description: string;
  category: 'chat' | 'messaging' | 'sms' | 'email' | 'voice' | 'custom';
  /** Path of its guide below `docs/`. */
  guide: string;
  /** Shown in the catalog before one connects (`ended by Google on 2024-07-31, use RCS for Business`). */
  notice?: string;
  /** Brand colour and a 24×24 SVG path for the catalog. */
  look: { color: string; icon: string };
  /** What `connect` takes. Fields with `secret: true` are write-only; `title`, `description`, `examples`, `help` feed the form. */
  input: TObject;
  /** Shown settings of a connected channel; `editable: true` marks what the edit form offers. */
  settings: TObject;
  /** Write-only. */
  credentials: TObject;
  /** Kind of the addresses that its contacts have, and whether they are unique per channel only. */
  identity: { kind: string; scoped: boolean };
  capabilities: Capabilities | ((channel: ChannelView<S, C>) => Capabilities);
  /**
   * How this source talks about itself when it needs setting up by hand: shown with copy buttons after connecting. What
   * `secret` marks is shown only to those who may change the channel, and only when they ask; without it the channel
   * comes without credentials.
   */
  setup?(channel: ChannelView<S, C>, config: ProviderConfig): SetupRow[];

  connect(input: I, context: ConnectorContext): Promise<Connected<S, C>>;
  /** Undoes at the provider what `connect` did there. `lastOfAccount`: no other connected channel shares its subscription. */
  disconnect?(channel: ChannelView<S, C>, context: ConnectorContext, facts: { lastOfAccount: boolean }): Promise<void>;
  /**
   * True for an account that can be one channel's only, in the whole installation (an address of our own mail server):
   * connecting it in a second workspace is refused.
   */
  exclusive?(channel: { settings: S; details: Record<string, unknown> }): boolean;
  /** The id that channels share one provider subscription under (page id, WABA id); default: the channel's own. */
  account?(channel: { sourceChannelId: string; settings: S; details: Record<string, unknown> }): string;
  explore?(input: Record<string, unknown>, context: ConnectorContext): Promise<Candidate[]>;
  health?(channel: ChannelView<S, C>, context: ConnectorContext): Promise<HealthReport>;

  /**
   * A raw event → what happened. Pure; throws on what it cannot read (the event is then kept, listed and replayable).
   * `config` tells our own app's id, where echoes carry it.
   */
  parse(event: RawEvent, config?: ProviderConfig): InboundEvent[];

  /** An address as callers write it (`whatsapp:+49…`) → the one contacts are known by. Throws `invalid` on what is none. */
  address?(value: string): { kind: string; value: string };
  /**
   * Used in place of `parse` where it exists: for payloads whose reading is asynchronous or depends on the channel's
   * settings (mail). Without side effects, and without I/O but for the spool; throws as `parse` does.
   */
  read?(event: RawEvent, channel?: ChannelView<S, C>, spool?: Spool): Promise<InboundEvent[]>;
  /** The bytes of a file that the raw event itself carries (a mail's attachment); used in place of `media` where it exists. */
  mediaOf?(
    ref: MediaRef,
    event: RawEvent,
    spool?: Spool,
  ): Promise<{ data: Buffer | AsyncIterable<Buffer>; mimeType?: string; filename?: string }>;

  /** Hands one message to the provider. Throws `ProviderError`. */
  send?(message: OutboundMessage, channel: ChannelView<S, C>, context: ConnectorContext): Promise<SendReceipt>;
  /** True when the provider itself can keep a message until then (`OutboundMessage.sendAt`); else we wait. */
  schedules?(sendAt: Date, channel: ChannelView<S, C>): boolean;
  /**
   * Content that takes several calls (a file and its words, where captions are not carried). The engine makes the calls
   * in order, and keeps how far it came: none is made twice.
   */
  parts?: {
    /** What each call carries, in order; the content itself where one call is enough. */
    of(content: Content): Content[];
    /** The payloads of all calls as the one that the message is shown with. */
    join(payloads: unknown[]): unknown;
  };
  /**
   * Asks the provider what became of a message whose outcome is unknown. `isKnown` tells which of the provider's ids
   * belong to other messages: one of those it cannot be.
   */
  settle?(message: OutboundMessage, channel: ChannelView<S, C>, context: ConnectorContext, isKnown: IsKnown): Promise<Settlement>;
  /** Takes back a message that the provider keeps until its time. Throws `ProviderError`, also when it is gone already. */
  cancel?(
    target: { providerId: string; messageId: string; to: OutboundMessage['to'] },
    channel: ChannelView<S, C>,
    context: ConnectorContext,
  ): Promise<void>;
  /** The provider takes our id: sending twice is safe. */
  idempotentSend?: boolean;
  /** Receipts may cover all messages up to a time, and come before the message's echo does. */
  watermarks?: boolean;
  pacing?: Pacing | ((channel: ChannelView<S, C>) => Pacing);
  /** Limits that the capabilities cannot express; plain words, empty when all is well. */
  check?(content: Content, channel: ChannelView<S, C>): string[];
  /** How the content would be cut and billed, for sources that cut it (SMS); undefined when that says nothing. */
  estimate?(content: Content, channel: ChannelView<S, C>): Estimate | undefined;
  /** Puts a payload in the provider's shape into our words where it can, for lists and search. */
  readNative?(payload: unknown): Content | undefined;
  /** The other way round: how the source would show content of ours, until the payload that was sent is known. */
  writeNative?(content: Content, mediaUrl: (id: string) => string): unknown;
  react?(
    target: { providerId: string; emoji: string | null; to: OutboundMessage['to'] },
    channel: ChannelView<S, C>,
    context: ConnectorContext,
  ): Promise<SendReceipt | undefined>;
  markRead?(
    target: { providerId: string; to: OutboundMessage['to'] },
    channel: ChannelView<S, C>,
    context: ConnectorContext,
  ): Promise<void>;
  typing?(
    target: { to: OutboundMessage['to']; on: boolean; lastInboundProviderId?: string },
    channel: ChannelView<S, C>,
    context: ConnectorContext,
  ): Promise<void>;
  /** Takes back a message that has not been read, or not been delivered, as the provider can. */
  revoke?(
    target: { providerId: string; messageId: string; to: OutboundMessage['to'] },
    channel: ChannelView<S, C>,
    context: ConnectorContext,
  ): Promise<void>;

  /** Access that a person grants in the browser (OAuth). Undefined from `start` when this channel needs none. */
  consent?: ConsentOperations<S, C>;

  templates?: TemplateOperations<S, C>;
  profile?(identity: { kind: string; value: string }, channel: ChannelView<S, C>, context: ConnectorContext): Promise<Profile>;
  /** Fetches a file that an inbound message refers to. */
  media?(
    ref: MediaRef,
    channel: ChannelView<S, C>,
    context: ConnectorContext,
  ): Promise<{ data: Buffer; mimeType?: string; filename?: string }>;
  /** Can this recipient be reached, and with what? */
  reach?(
    identity: { kind: string; value: string },
    channel: ChannelView<S, C>,
    context: ConnectorContext,
  ): Promise<{ reachable: boolean; features?: string[] }>;
  /**
   * For sources that are asked rather than told (IMAP): runs until the signal ends, one node at a time. `deliver`
   * resolves once the events are durable; only then may the cursor move.
   */
  receive?(channel: ChannelView<S, C>, context: ConnectorContext & ReceiveContext): Promise<void>;
  /** For sources whose webhooks can get lost: what happened since then, as the provider lists it. Repeats are harmless. */
  reconcile?(channel: ChannelView<S, C>, context: ConnectorContext, since: Date): Promise<RawEvent[]>;
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

export interface Provider {
  name: string;
  connectors: Connector[];
  hooks?: Hook[];
}

/** Declares a source with the types of its own schemas. */
export function defineConnector<S extends TObject, C extends TObject, I extends TObject>(
  connector: Omit<Connector<Static<S>, Static<C>, Static<I>>, 'settings' | 'credentials' | 'input'> & {
    settings: S;
    credentials: C;
    input: I;
  },
): Connector {
  return connector as Connector;
}

/** Declares a provider: its sources and the addresses that it calls. */
export function defineProvider(provider: Provider): Provider {
  return provider;
}

/** The capabilities of a channel, whether they are the same for all of its source or its own. */
export function capabilitiesOf(connector: Connector, channel: ChannelView): Capabilities {
  return typeof connector.capabilities === 'function' ? connector.capabilities(channel) : connector.capabilities;
}
