/** The shapes of a connected page and a connected Instagram account. */
import Type, { type Static } from 'typebox';
import type { ChannelView, ConnectorContext } from '../../connector.ts';
import { type Graph, graph } from '../graph.ts';

const pageId = Type.String({
  title: 'Page ID',
  description: 'The Facebook page',
  examples: ['123456789012345'],
  help: 'The page → About → Page transparency, or Meta Business Suite → Settings',
  minLength: 1,
});
const pageToken = Type.String({
  secret: true,
  title: 'Access token',
  description: 'A page token, or the token of a user who manages the page',
  help: 'App dashboard → Messenger → Settings → Generate token',
  minLength: 1,
});
const version = { title: 'Graph API version', pattern: '^v\\d+\\.\\d+$', examples: ['v25.0'] };
const graphVersion = Type.Optional(Type.String({ ...version, editable: true }));
const versionToConnect = Type.Optional(Type.String({ ...version, hidden: true }));

export const facebookInput = Type.Object({ page_id: pageId, page_token: pageToken, graph_version: versionToConnect });
export const facebookSettings = Type.Object({ page_id: pageId, graph_version: graphVersion });

/** Through the linked page with its token, or with a token of the Instagram account itself. */
export const instagramInput = Type.Object({
  page_id: Type.Optional(
    Type.String({ ...pageId, description: 'The Facebook page that the Instagram account is linked to; not with an Instagram token' }),
  ),
  page_token: Type.Optional(pageToken),
  access_token: Type.Optional(
    Type.String({
      secret: true,
      title: 'Instagram token',
      description: 'In place of page and page token: a token of the Instagram account itself (Instagram Login)',
      help: 'App dashboard → Instagram → API setup with Instagram login → Generate token',
      minLength: 1,
    }),
  ),
  account_id: Type.Optional(
    Type.String({
      title: 'Instagram account ID',
      description: 'Found through the page when left empty',
      examples: ['17841400000000000'],
      help: 'Meta Business Suite → Settings → Instagram accounts',
    }),
  ),
  graph_version: versionToConnect,
});
export const instagramSettings = Type.Object({
  login: Type.Optional(
    Type.Union([Type.Literal('page'), Type.Literal('instagram')], {
      title: 'Reached through',
      description: 'The page, or a token of its own',
    }),
  ),
  page_id: Type.Optional(pageId),
  account_id: Type.String({ title: 'Instagram account ID' }),
  graph_version: graphVersion,
});

export const facebookCredentials = Type.Object({ page_token: Type.String({ secret: true, title: 'Access token' }) });
export const instagramCredentials = Type.Object({
  page_token: Type.Optional(Type.String({ secret: true, title: 'Access token of the page' })),
  access_token: Type.Optional(Type.String({ secret: true, title: 'Token of the Instagram account' })),
});

export interface Settings {
  /** How an Instagram account is reached; through its page unless told. */
  login?: 'page' | 'instagram';
  page_id?: string;
  account_id?: string;
  graph_version?: string;
}
export type Credentials = Static<typeof instagramCredentials>;
export type Channel = ChannelView<Settings, Credentials>;

/** True where the account's own token is used (Instagram Login), which only Instagram's host takes. */
export function ownLogin(channel: Pick<Channel, 'settings'>): boolean {
  return channel.settings.login === 'instagram';
}

/** The object whose edges are called: the page, whose Instagram account it also serves, or the account itself. */
export function nodeOf(channel: Pick<Channel, 'settings' | 'sourceChannelId'>): string {
  return (ownLogin(channel) ? undefined : channel.settings.page_id) ?? channel.sourceChannelId;
}

/** The Graph client of a connected page or account. */
export function graphOf(channel: Channel, context: ConnectorContext): Graph {
  const { credentials, settings } = channel;
  const version = settings.graph_version;
  if (ownLogin(channel)) return graph(context, { token: credentials.access_token, version, login: 'instagram' });
  return graph(context, { token: credentials.page_token, version });
}
