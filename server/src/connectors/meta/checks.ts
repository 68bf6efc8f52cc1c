/** Collects what a health check found; the worst finding is the channel's status. */
import { ProviderError } from '../../model/errors.ts';
import type { ConnectorContext, HealthReport } from '../connector.ts';
import { type Graph, graph } from './graph.ts';
import { appOf, inspect } from './tokens.ts';
import { type Json, record, text } from './values.ts';

const DAY_MS = 24 * 3600 * 1000;
const WARN_BEFORE_MS = 7 * DAY_MS;

export class Checks {
  readonly #found: { name: string; ok: boolean; message?: string; level: 'pass' | 'note' | 'warn' | 'fail' }[] = [];

  pass(name: string, message?: string): void {
    this.#found.push({ name, ok: true, message, level: 'pass' });
  }
  /** Worth knowing, and no trouble. */
  note(name: string, message: string): void {
    this.#found.push({ name, ok: true, message, level: 'note' });
  }
  warn(name: string, message: string): void {
    this.#found.push({ name, ok: false, message, level: 'warn' });
  }
  fail(name: string, message: string): void {
    this.#found.push({ name, ok: false, message, level: 'fail' });
  }

  get failed(): boolean {
    return this.#found.some(({ level }) => level === 'fail');
  }

  /** A provider that says no makes the check fail; one that cannot be asked now is thrown, since it says nothing about the channel. */
  refusal(name: string, error: unknown): void {
    if (!(error instanceof ProviderError) || error.class === 'retry' || error.class === 'rate-limited' || error.class === 'unknown-outcome')
      throw error;
    this.fail(name, error.hint ? `${error.message}. ${error.hint}` : error.message);
  }

  report(more: { details: Record<string, unknown>; expiresAt?: Date }): HealthReport {
    const worst = this.#found.find(({ level }) => level === 'fail') ?? this.#found.find(({ level }) => level === 'warn');
    return {
      status: worst === undefined ? 'active' : worst.level === 'fail' ? 'failed' : 'warning',
      ...(worst?.message ? { reason: worst.message } : {}),
      details: more.details,
      ...(more.expiresAt ? { expiresAt: more.expiresAt } : {}),
      checks: this.#found.map(({ name, ok, message }) => ({ name, ok, ...(message ? { message } : {}) })),
    };
  }
}

/** Does the installation have what webhooks need? One of the secrets is enough. */
export function settingsChecks(checks: Checks, context: ConnectorContext, secrets: string[]): void {
  if (!secrets.some((name) => context.config.get(name))) {
    checks.warn('settings', `${secrets[0]} is not set: Meta’s webhooks are refused until it is`);
  }
  if (!context.config.get('META_VERIFY_TOKEN')) {
    checks.note('settings', 'META_VERIFY_TOKEN is not set: Meta cannot be told a new callback URL until it is');
  }
}

/** People need some days to make a new token; `remedy` says how. */
export function tokenEnds(checks: Checks, expiresAt: Date | undefined, context: ConnectorContext, remedy: string): void {
  if (expiresAt && expiresAt.getTime() - context.now().getTime() < WARN_BEFORE_MS) {
    checks.warn('token', `The access token ends on ${expiresAt.toISOString().slice(0, 10)}. ${remedy}`);
  } else checks.pass('token');
}

/** Is the token valid, for how long, and for what? Also: does the installation have what webhooks need? Gives the token's end. */
export async function tokenChecks(
  checks: Checks,
  { token, scopes, version }: { token: string; scopes: string[]; version?: string },
  context: ConnectorContext,
): Promise<Date | undefined> {
  settingsChecks(checks, context, ['META_APP_SECRET']);
  let facts: Awaited<ReturnType<typeof inspect>>;
  try {
    facts = await inspect(token, context, version);
  } catch (error) {
    if (!(error instanceof ProviderError) || (error.class !== 'unauthorized' && error.class !== 'rejected')) throw error;
    const words = `Meta does not answer questions about the token: ${error.message}`;
    if (error.class === 'unauthorized' || error.code === '101') checks.warn('token', `${words}. Check META_APP_ID and META_APP_SECRET`);
    else checks.note('token', words);
    return undefined;
  }
  if (!facts) return undefined;
  if (!facts.valid) {
    checks.fail('token', `The access token is no longer valid${facts.problem ? `: ${facts.problem}` : ''}. Replace it`);
    return facts.expiresAt;
  }
  const missing = scopes.filter((scope) => facts.scopes.length > 0 && !facts.scopes.includes(scope));
  if (missing.length > 0)
    checks.warn('permissions', `The access token lacks ${missing.join(' and ')}. Make a new one with these permissions`);
  tokenEnds(checks, facts.expiresAt, context, 'Replace it before, best with a system user’s token that does not end');
  return facts.expiresAt;
}

/** What `subscriptionCheck` needs to know. */
export interface SubscriptionQuestion {
  client: Graph;
  account: string;
  context: ConnectorContext;
  /** Subscribes the app, as connecting did. */
  subscribe(): Promise<void>;
}

/**
 * Is our app among those that get the account's messages? Without an app of ours any subscription will do. One that is
 * gone (Meta ends those whose webhooks failed for long) is made again. Gives the subscriptions as they were; undefined
 * where Meta does not show them.
 */
export async function subscriptionCheck(
  checks: Checks,
  { client, account, context, subscribe }: SubscriptionQuestion,
): Promise<Json[] | undefined> {
  let apps: Json[];
  try {
    apps = await client.all(`${account}/subscribed_apps`);
  } catch (error) {
    if (!(error instanceof ProviderError) || error.class !== 'rejected') throw error;
    checks.note('subscription', `Meta does not show who gets the webhooks of ${account}: ${error.message}`);
    return undefined;
  }
  const app = appOf(context);
  const ours = apps.find((candidate) => !app || subscriberOf(candidate) === app.id);
  if (ours && carriesMessages(ours)) {
    checks.pass('subscription');
    return apps;
  }
  try {
    await subscribe();
    checks.note('subscription', 'The app was not subscribed to this account’s messages any more; it was subscribed again');
  } catch (error) {
    if (!(error instanceof ProviderError) || (error.class !== 'rejected' && error.class !== 'unauthorized')) throw error;
    const words = `The app is not subscribed to this account’s messages, so nothing comes in, and Meta refuses to change that: ${error.message}`;
    checks.fail('subscription', error.hint ? `${words}. ${error.hint}` : words);
  }
  return apps;
}

/** Pages and Instagram accounts list the fields; a business account is always subscribed to all of them. */
function carriesMessages(app: Json): boolean {
  if (!Array.isArray(app.subscribed_fields)) return true;
  return app.subscribed_fields.some((field) => (text(field) ?? text(record(field)?.name)) === 'messages');
}

/** The id of a subscribed app: business accounts wrap it, pages do not. */
export function subscriberOf(app: Json): string | undefined {
  return text(record(app.whatsapp_business_api_data)?.id) ?? text(app.id);
}

/**
 * Does the app's webhook lead here, and carry messages? Asked only where the installation has an app; an app that may not
 * ask says nothing.
 * developers.facebook.com/docs/graph-api/reference/app/subscriptions
 */
export async function webhookCheck(checks: Checks, object: string, context: ConnectorContext): Promise<void> {
  const app = appOf(context);
  if (!app) return;
  let subscriptions: Json[];
  try {
    subscriptions = await graph(context, { token: `${app.id}|${app.secret}` }).all(`${app.id}/subscriptions`);
  } catch (error) {
    if (!(error instanceof ProviderError) || (error.class !== 'unauthorized' && error.class !== 'rejected')) throw error;
    checks.note('webhook', `Meta does not show where the app’s webhooks go: ${error.message}`);
    return;
  }
  const ours = subscriptions.find((subscription) => subscription.object === object);
  if (!ours) return;
  const here = `${context.config.publicUrl.replace(/\/+$/, '')}/`;
  const address = text(ours.callback_url) ?? '';
  const fields = Array.isArray(ours.fields) ? ours.fields.map((field) => text(field) ?? text(record(field)?.name)) : ['messages'];
  if (!address.startsWith(here)) {
    checks.warn('webhook', `The app’s webhooks go to ${address}, not to ${here}hooks/meta. Change the callback URL in the app dashboard`);
  } else if (!fields.includes('messages')) {
    checks.warn('webhook', 'The app’s webhook does not carry the field “messages”. Subscribe to it in the app dashboard');
  } else checks.pass('webhook');
}
