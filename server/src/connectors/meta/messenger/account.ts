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
const graphVersion = Type.Optional(
  Type.String({ title: 'Graph API version', pattern: '^v\\d+\\.\\d+$', examples: ['v25.0'], editable: true }),
);

export const facebookInput = Type.Object({ page_id: pageId, page_token: pageToken });
export const facebookSettings = Type.Object({ page_id: pageId, graph_version: graphVersion });

export const instagramInput = Type.Object({
  page_id: Type.String({ ...pageId, description: 'The Facebook page that the Instagram account is linked to' }),
  page_token: pageToken,
  account_id: Type.Optional(
    Type.String({
      title: 'Instagram account ID',
      description: 'Found through the page when left empty',
      examples: ['17841400000000000'],
      help: 'Meta Business Suite → Settings → Instagram accounts',
    }),
  ),
});
export const instagramSettings = Type.Object({
  page_id: pageId,
  account_id: Type.String({ title: 'Instagram account ID' }),
  graph_version: graphVersion,
});

export const credentials = Type.Object({ page_token: Type.String({ secret: true, title: 'Access token' }) });

export type Settings = { page_id: string; account_id?: string; graph_version?: string };
export type Credentials = Static<typeof credentials>;
export type Channel = ChannelView<Settings, Credentials>;

/** The Graph client of a connected page or account; both work with the page's token. */
export function graphOf(channel: Channel, context: ConnectorContext): Graph {
  return graph(context, { token: channel.credentials.page_token, version: channel.settings.graph_version });
}
