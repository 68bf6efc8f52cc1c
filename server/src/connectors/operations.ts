/** What a source can do beyond messages: templates, access granted in the browser, accounts that channels share. */
import type { Content } from '../model/content.ts';
import type { ChannelView, Connected } from './channel.ts';
import type { ConnectorContext } from './context.ts';

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

export interface NumberAbilities {
  sms: boolean;
  mms: boolean;
  voice: boolean;
}

/** A number that an account has. */
export interface OwnedNumber {
  phoneNumber: string;
  providerId: string;
  name: string | null;
  capabilities: NumberAbilities;
}

/** A number that could be bought. */
export interface OfferedNumber {
  phoneNumber: string;
  locality: string | null;
  region: string | null;
  country: string | null;
  capabilities: NumberAbilities;
}

export interface NumberSearch {
  country: string;
  areaCode?: string;
  contains?: string;
  limit: number;
}

/** The numbers of a provider account. `keys` are its credentials; those of the installation count where they are empty. */
export interface NumberOperations<C> {
  /** Every number of the account, over all pages; with `phoneNumber` that one only. */
  owned(keys: Partial<C>, context: ConnectorContext, phoneNumber?: string): Promise<OwnedNumber[]>;
  search(keys: Partial<C>, context: ConnectorContext, search: NumberSearch): Promise<OfferedNumber[]>;
  /** Never buys twice, also when an answer is lost. Throws `ProviderError`. */
  buy(keys: Partial<C>, context: ConnectorContext, phoneNumber: string): Promise<OwnedNumber>;
  /** Gives a number back; one that is gone already is fine. */
  release(keys: Partial<C>, context: ConnectorContext, providerId: string): Promise<void>;
}

/** An account at a provider whose keys several channels share. */
export interface AccountOperations<C> {
  /** What its channels are. */
  type: 'email' | 'sms';
  /** The providers that it may be at; the first one where none is named. */
  providers: readonly [string, ...string[]];
  /** The field of `input` that says which address or number of the account a channel is. */
  identifier: string;
  /** The field of `input` that names the provider, where there are several. */
  provider?: string;
  /** What a channel without keys waits for, in plain words; absent: none is made without. */
  withoutKeys?: string;
  /** Signs in with the keys, where that can be tried without a channel. Throws `ProviderError`. */
  check?(keys: Partial<C>, context: ConnectorContext): Promise<void>;
  numbers?: NumberOperations<C>;
}
