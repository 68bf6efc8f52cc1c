/**
 * What a connector is. One provider folder holds one `defineProvider({...})`: its sources, each declared once as typed
 * data and functions, and the webhooks they share. A connector does no I/O but through `ConnectorContext.http`, keeps
 * no state, and never imports the store, the engine or a web framework, so it can be read, tested and fuzzed alone.
 */
import type { Static, TObject } from 'typebox';
import type { Capabilities } from '../model/capabilities.ts';
import type { Content, MediaRef } from '../model/content.ts';
import type { Candidate, ChannelView, Connected, HealthReport, Profile, SetupRow } from './channel.ts';
import type { ConnectorContext, ProviderConfig, Spool } from './context.ts';
import type { InboundEvent } from './events.ts';
import type { Hook, RawEvent, ReceiveContext } from './inbound.ts';
import type { AccountOperations, ConsentOperations, TemplateOperations } from './operations.ts';
import type { Estimate, IsKnown, OutboundMessage, Pacing, SendReceipt, Settlement } from './sending.ts';
import type { StandInDeclaration } from './stand-in.ts';

export type * from './channel.ts';
export type * from './context.ts';
export type { InboundEvent, ThreadRef } from './events.ts';
export type * from './inbound.ts';
export type * from './operations.ts';
export type * from './sending.ts';

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
  /** There is no far end to call: channels made with test keys send as others do. */
  callsNobody?: true;
  /** The provider takes our id: sending twice is safe. */
  idempotentSend?: boolean;
  /** What comes as an echo was written elsewhere, unless it names our id: messages of ours are not repeated to us. */
  repeatsOthersOnly?: true;
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

  /** Accounts that several channels share; one source for each type. */
  accounts?: AccountOperations<C>;
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

export interface Provider {
  name: string;
  connectors: Connector[];
  hooks?: Hook[];
  /** The installation's settings that are about this provider: channels made with test keys do not see them. */
  settings?: RegExp;
  /** What answers channels made with test keys; without one they only pretend to send. */
  standIn?: StandInDeclaration;
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
