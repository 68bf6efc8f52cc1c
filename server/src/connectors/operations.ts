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
