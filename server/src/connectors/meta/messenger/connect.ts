/**
 * Connecting a page, or the Instagram account that hangs on it: token, page, subscription.
 * developers.facebook.com/docs/messenger-platform/getting-started
 */
import { invalid, ProviderError } from '../../../model/errors.ts';
import type { Candidate, Connected, ConnectorContext } from '../../connector.ts';
import { blame } from '../faults.ts';
import { type Graph, graph } from '../graph.ts';
import { exchange } from '../tokens.ts';
import { compact, type Json, record, text } from '../values.ts';
import { type Channel, graphOf, nodeOf } from './account.ts';
import { connectWithOwnToken } from './instagram-login.ts';

const SUBSCRIBED_FIELDS = [
  'messages',
  'messaging_postbacks',
  'messaging_optins',
  'message_deliveries',
  'message_reads',
  'message_echoes',
  'message_reactions',
  'messaging_referrals',
  'messaging_handovers',
  'messaging_policy_enforcement',
  'message_edits',
  'standby',
].join(',');
const PAGE_FIELDS = 'id,name,name_with_location_descriptor,access_token,picture';
/** Needs a permission that Messenger alone does not. */
const INSTAGRAM_FIELDS = `${PAGE_FIELDS},instagram_business_account{id,username,name,profile_picture_url}`;

interface Page {
  id: string;
  name?: string;
  imageUrl?: string;
  token: string;
  instagram?: { id: string; username?: string; name?: string; imageUrl?: string };
}

interface Input {
  page_id?: string;
  page_token?: string;
  graph_version?: string;
}

/** Finds the page and subscribes the app to it. A refusal is `invalid-token` or `unknown-account` with Meta's words. */
export async function connectFacebook(
  input: Input,
  context: ConnectorContext,
): Promise<Connected<{ page_id: string; graph_version?: string }, { page_token: string }>> {
  const page = await find(input, PAGE_FIELDS, context);
  await subscribeFor(page, input, context);
  return {
    sourceChannelId: page.id,
    name: page.name,
    imageUrl: page.imageUrl,
    settings: { page_id: page.id, ...versionOf(input) },
    credentials: { page_token: page.token },
    details: compact({ page_name: page.name }) ?? {},
  };
}

/**
 * The same for the Instagram account of a page: its messages come through the page's subscription. With a token of the
 * account's own no page is needed.
 */
export async function connectInstagram(
  input: Input & { account_id?: string; access_token?: string },
  context: ConnectorContext,
): Promise<
  Connected<
    { login: 'page' | 'instagram'; page_id?: string; account_id: string; graph_version?: string },
    { page_token: string } | { access_token: string }
  >
> {
  if (text(input.access_token)) {
    if (text(input.page_token))
      throw invalid('access_token', 'cannot be together with page_token: connect the account with one of them alone');
    return connectWithOwnToken(input, context);
  }
  const page = await find(input, INSTAGRAM_FIELDS, context);
  const account = text(input.account_id) ?? page.instagram?.id;
  if (!account)
    throw new ProviderError('rejected', `No Instagram professional account is linked to the page ${page.name ?? page.id}`, {
      code: 'unknown-account',
      hint: 'Link it under the page’s Settings → Linked accounts → Instagram.',
    });
  if (page.instagram && page.instagram.id !== account) {
    throw new ProviderError(
      'rejected',
      `The page ${page.name ?? page.id} is linked to the Instagram account ${page.instagram.id}, not ${account}`,
      { code: 'unknown-account' },
    );
  }
  await subscribeFor(page, input, context);
  const name = page.instagram?.name ?? page.instagram?.username;
  return {
    sourceChannelId: account,
    name: name ?? `${page.name ?? page.id} Instagram account`,
    imageUrl: page.instagram?.imageUrl,
    settings: { login: 'page', page_id: page.id, account_id: account, ...versionOf(input) },
    credentials: { page_token: page.token },
    details: compact({ page_name: page.name, username: page.instagram?.username }) ?? {},
  };
}

async function find(input: Input, fields: string, context: ConnectorContext): Promise<Page> {
  const given = text(input.page_token);
  const id = text(input.page_id);
  if (!id) throw invalid('page_id', 'is required');
  if (!given) throw invalid('page_token', 'is required');
  const version = text(input.graph_version);
  const token = await blame('invalid-token', () => exchange(given, context, version));
  const client = graph(context, { token, version });
  const answer = await blame('unknown-account', () => client.call(id, { query: { fields } }));
  const account = record(answer.instagram_business_account);
  const accountId = text(account?.id);
  return {
    id: text(answer.id) ?? id,
    name: nameOf(answer),
    imageUrl: pictureOf(answer),
    token: text(answer.access_token) ?? (await listedToken(client, id)) ?? token,
    ...(accountId
      ? {
          instagram: {
            id: accountId,
            username: text(account?.username),
            name: text(account?.name),
            imageUrl: text(account?.profile_picture_url),
          },
        }
      : {}),
  };
}

/** The page's own token, where only the list of the user's pages tells it: a page's token has no such list. */
async function listedToken(client: Graph, id: string): Promise<string | undefined> {
  try {
    const pages = await client.all('me/accounts', { query: { fields: 'id,access_token', limit: '100' } });
    return text(pages.find((page) => text(page.id) === id)?.access_token);
  } catch (error) {
    if (!(error instanceof ProviderError) || (error.class !== 'rejected' && error.class !== 'unauthorized')) throw error;
    return undefined;
  }
}

async function subscribeFor(page: Page, input: Input, context: ConnectorContext): Promise<void> {
  await blame('unknown-account', () => subscribe(graph(context, { token: page.token, version: text(input.graph_version) }), page.id));
}

/** The app gets the page's webhooks from now on. */
export async function subscribe(client: Graph, page: string): Promise<void> {
  await client.call(`${page}/subscribed_apps`, { method: 'POST', repeatable: true, query: { subscribed_fields: SUBSCRIBED_FIELDS } });
}

function versionOf(input: Input): { graph_version?: string } {
  const version = text(input.graph_version);
  return version ? { graph_version: version } : {};
}

function nameOf(page: Json): string | undefined {
  return text(page.name_with_location_descriptor) ?? text(page.name);
}

function pictureOf(page: Json): string | undefined {
  return text(record(record(page.picture)?.data)?.url);
}

/** Ends the app's subscription of the page (or account) once neither its Facebook nor its Instagram channel needs it. */
export async function disconnect(channel: Channel, context: ConnectorContext, facts: { lastOfAccount: boolean }): Promise<void> {
  if (!facts.lastOfAccount) return;
  await graphOf(channel, context).call(`${nodeOf(channel)}/subscribed_apps`, { method: 'DELETE' });
}

/** The pages that the token's owner manages. Takes `auth_token`, or `token` as older clients call it. */
export async function exploreFacebook(input: Record<string, unknown>, context: ConnectorContext): Promise<Candidate[]> {
  const pages = await managed(input, 'id,name,name_with_location_descriptor,picture', context);
  return pages.flatMap((page) => {
    const id = text(page.id);
    return id ? [{ sourceChannelId: id, name: nameOf(page) ?? id, imageUrl: pictureOf(page), input: { page_id: id } }] : [];
  });
}

/** The Instagram accounts that hang on those pages. */
export async function exploreInstagram(input: Record<string, unknown>, context: ConnectorContext): Promise<Candidate[]> {
  const pages = await managed(input, 'id,name,instagram_business_account{id,username,name,profile_picture_url}', context);
  return pages.flatMap((page) => {
    const account = record(page.instagram_business_account);
    const id = text(account?.id);
    if (!account || !id) return [];
    const name = text(account.name) ?? text(account.username) ?? id;
    return [{ sourceChannelId: id, name, imageUrl: text(account.profile_picture_url), input: { page_id: text(page.id), account_id: id } }];
  });
}

async function managed(input: Record<string, unknown>, fields: string, context: ConnectorContext): Promise<Json[]> {
  const token = text(input.auth_token) ?? text(input.token) ?? text(input.page_token);
  if (!token) throw invalid('auth_token', 'is required');
  return blame('invalid-token', () => graph(context, { token }).all('me/accounts', { query: { fields, limit: '100' } }));
}
