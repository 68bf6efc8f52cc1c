/**
 * Connecting a number: token, number, account, subscription. Nothing is changed at Meta before everything was found.
 * developers.facebook.com/docs/whatsapp/cloud-api/get-started
 */
import { invalid, ProviderError } from '../../../model/errors.ts';
import type { Candidate, Connected, ConnectorContext } from '../../connector.ts';
import { blame } from '../faults.ts';
import { type Graph, graph } from '../graph.ts';
import { exchange, inspect, type TokenFacts } from '../tokens.ts';
import { compact, digitsOf, type Json, record, text } from '../values.ts';
import { type Channel, type Credentials, graphOf, type Input, type Settings, wabaOf } from './account.ts';

const BASIC_FIELDS = 'id,display_phone_number,verified_name,quality_rating,code_verification_status';
const NEWER_FIELDS = `${BASIC_FIELDS},name_status,throughput,platform_type,status,is_on_biz_app,whatsapp_business_manager_messaging_limit`;
/** Fields come and go with Graph's versions, and one that is unknown fails the whole call: fewer are asked for each time. */
const FIELD_SETS = [`${NEWER_FIELDS},messaging_limit_tier`, NEWER_FIELDS, BASIC_FIELDS];

/**
 * Takes `{phone_number_id, user_token}` or `{phone_number, business_account_id, api_key}`. A refusal is a `ProviderError`
 * whose code tells the part at fault: `invalid-token`, `unknown-number` or `unknown-account`.
 */
export async function connect(input: Input, context: ConnectorContext): Promise<Connected<Settings, Credentials>> {
  const given = text(input.user_token) ?? text(input.api_key) ?? text(input.access_token);
  if (!given) throw invalid('user_token', 'is required: the access token of a system user or user');
  const account = text(input.business_account_id) ?? text(input.waba_id);
  const numberId = text(input.phone_number_id);
  const number = text(input.phone_number);
  if (!numberId && !number)
    throw invalid('phone_number_id', 'is required: the number’s id at Meta, or phone_number with business_account_id');
  if (!numberId && !account) throw invalid('business_account_id', 'is required to find the number by its digits');

  const version = text(input.graph_version);
  const token = await blame('invalid-token', () => exchange(given, context, version));
  const client = graph(context, { token, version });
  const found = numberId ? await byId(client, numberId, account) : await byDigits(client, account!, number!);
  const id = text(found.id) ?? numberId!;
  const waba = account ?? (await ownerOf(client, id, token, { context, version }));
  if (text(input.pin)) {
    await blame('unknown-number', () =>
      client.call(`${id}/register`, { method: 'POST', repeatable: true, json: { messaging_product: 'whatsapp', pin: input.pin } }),
    );
  }
  if (waba) await blame('unknown-account', () => subscribe(client, waba));
  return {
    sourceChannelId: id,
    name: text(found.verified_name) ?? text(found.display_phone_number),
    settings: { phone_number_id: id, ...(waba ? { waba_id: waba } : {}), ...(version ? { graph_version: version } : {}) },
    credentials: { access_token: token },
    details: { ...detailsOf(found), ...(waba ? { waba_id: waba } : {}) },
  };
}

/** The app gets the webhooks of the account from now on. */
export async function subscribe(client: Graph, waba: string): Promise<void> {
  await client.call(`${waba}/subscribed_apps`, { method: 'POST', repeatable: true, json: {} });
}

/** What Meta tells about a number, in the names that surfaces show. Tiers stay as Meta writes them. */
export function detailsOf(number: Json): Record<string, unknown> {
  const display = text(number.display_phone_number);
  const throughput = text(record(number.throughput)?.level) ?? text(number.throughput);
  return (
    compact({
      display_number: display ? `+${digitsOf(display)}` : undefined,
      verified_name: text(number.verified_name),
      quality_rating: text(number.quality_rating),
      messaging_limit_tier: text(number.whatsapp_business_manager_messaging_limit) ?? text(number.messaging_limit_tier),
      throughput,
      name_status: text(number.name_status),
      code_verification_status: text(number.code_verification_status),
      platform_type: text(number.platform_type),
      number_status: text(number.status),
      is_on_biz_app: typeof number.is_on_biz_app === 'boolean' ? number.is_on_biz_app : undefined,
    }) ?? {}
  );
}

/** Reads a number. */
export function readNumber(client: Graph, id: string): Promise<Json> {
  return withFields((fields) => client.call(id, { query: { fields } }));
}

async function withFields<T>(ask: (fields: string) => Promise<T>): Promise<T> {
  for (const fields of FIELD_SETS.slice(0, -1)) {
    try {
      return await ask(fields);
    } catch (error) {
      if (!(error instanceof ProviderError) || error.code !== '100' || !/field/i.test(error.message)) throw error;
    }
  }
  return ask(FIELD_SETS.at(-1)!);
}

async function byId(client: Graph, id: string, account: string | undefined): Promise<Json> {
  const number = await blame('unknown-number', () => readNumber(client, id));
  // Whether there is such an account at all, the subscription that follows tells.
  const numbers = account ? await numbersOf(client, account) : undefined;
  if (!numbers?.length || numbers.some((other) => text(other.id) === id)) return number;
  throw unknownNumber(`The number ${id} does not belong to the WhatsApp business account ${account}`);
}

async function byDigits(client: Graph, account: string, number: string): Promise<Json> {
  const digits = digitsOf(number);
  const list = (fields: string) => client.all(`${account}/phone_numbers`, { query: { fields, limit: '100' } });
  const numbers = await blame('unknown-account', () => withFields(list));
  const match = numbers.find(
    (candidate) => text(candidate.id) && digits && digitsOf(text(candidate.display_phone_number) ?? '') === digits,
  );
  if (!match) throw unknownNumber(`The WhatsApp business account ${account} has no number ${number}`);
  return match;
}

/** The numbers of an account; undefined where Meta does not list them to this token. */
async function numbersOf(client: Graph, account: string): Promise<Json[] | undefined> {
  try {
    return await client.all(`${account}/phone_numbers`, { query: { fields: 'id', limit: '100' } });
  } catch (error) {
    if (!(error instanceof ProviderError) || error.class !== 'rejected') throw error;
    return undefined;
  }
}

/** The account of a number is in no answer about the number: look through those that the token was granted for. */
async function ownerOf(
  client: Graph,
  id: string,
  token: string,
  { context, version }: { context: ConnectorContext; version: string | undefined },
): Promise<string | undefined> {
  let facts: TokenFacts | undefined;
  try {
    facts = await inspect(token, context, version);
  } catch (error) {
    context.log.warn({ error: String(error) }, 'Meta did not say which accounts the token is for');
    return undefined;
  }
  const accounts = [...(facts?.targets('whatsapp_business_management') ?? []), ...(facts?.targets('whatsapp_business_messaging') ?? [])];
  for (const account of new Set(accounts)) {
    if ((await numbersOf(client, account))?.some((number) => text(number.id) === id)) return account;
  }
  return undefined;
}

/** Ends the app's subscription of the account when no other connected number needs it. */
export async function disconnect(channel: Channel, context: ConnectorContext, facts: { lastOfAccount: boolean }): Promise<void> {
  const waba = wabaOf(channel);
  if (!waba || !facts.lastOfAccount) return;
  await graphOf(channel, context).call(`${waba}/subscribed_apps`, { method: 'DELETE' });
}

/** The numbers of an account that could be connected. */
export async function explore(input: Record<string, unknown>, context: ConnectorContext): Promise<Candidate[]> {
  const token = text(input.auth_token) ?? text(input.user_token) ?? text(input.api_key) ?? text(input.token);
  const account = text(input.business_account_id) ?? text(input.waba_id);
  if (!token) throw invalid('auth_token', 'is required');
  const accounts = account ? [account] : ((await inspect(token, context))?.targets('whatsapp_business_management') ?? []);
  if (accounts.length === 0) throw invalid('business_account_id', 'is required: the token does not say which accounts it is for');
  const client = graph(context, { token });
  const lists = await Promise.all(
    accounts.map(async (waba) => {
      const numbers = await blame('unknown-account', () => client.all(`${waba}/phone_numbers`, { query: { limit: '100' } }));
      return numbers.flatMap((number) => candidate(number, waba));
    }),
  );
  return lists.flat();
}

function candidate(number: Json, waba: string): Candidate[] {
  const id = text(number.id);
  if (!id) return [];
  const name = text(number.verified_name) ?? text(number.display_phone_number) ?? id;
  return [{ sourceChannelId: id, name, input: { phone_number_id: id, business_account_id: waba } }];
}

function unknownNumber(message: string): ProviderError {
  return new ProviderError('rejected', message, {
    code: 'unknown-number',
    hint: 'Compare with WhatsApp → API setup in the app dashboard.',
  });
}
