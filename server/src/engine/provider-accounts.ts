/** Provider accounts that channels share (Votel calls them integrations), mail domains, and the channels made from them. */
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { checkAccount, type TwilioKeys } from '../connectors/twilio/numbers.ts';
import { invalid, PatchbayError, ProviderError } from '../model/errors.ts';
import { uuidv7 } from '../model/ids.ts';
import { normalDomain, type RecordCheck, recordsFor } from '../model/mail-domain.ts';
import type { ChannelRow } from '../store/channels.ts';
import { type EmailDomain, insertEmailDomain, keepChecks } from '../store/email-domains.ts';
import { type Integration, insertIntegration, updateIntegration } from '../store/integrations.ts';
import { listVotelChannels } from '../store/votel-channels.ts';
import { checkRecords } from './domain-check.ts';
import type { Engine } from './engine.ts';

type Parts = Pick<Engine, 'config' | 'database' | 'vault' | 'channels' | 'contexts' | 'dns' | 'log'>;

/** The providers of each type; the first one where none is named. */
export const PROVIDERS_OF = { email: ['aurion', 'microsoft', 'google', 'smtp'], sms: ['twilio'] } as const;

export interface NewIntegration {
  workspaceId: string;
  name: string;
  type: Integration['type'];
  provider: string;
  /** Settings and secrets together, by the names of the connector's own form. */
  config: Record<string, unknown>;
  metadata: Record<string, unknown>;
  sandbox: boolean;
}

/** Keeps a provider account. Keys that it brings are tried first: `invalid` on `credentials` when they are refused. */
export async function addIntegration(parts: Parts, given: NewIntegration): Promise<Integration> {
  const id = uuidv7();
  const { settings, credentials } = sorted(parts, given.type, given.config);
  await tryKeys(parts, given, credentials);
  const sealed = credentials ? parts.vault.seal(credentials, contextOf(given.workspaceId, id)) : null;
  const { name, type, provider, metadata } = given;
  return insertIntegration(parts.database, given.workspaceId, { id, name, type, provider, settings, credentials: sealed, metadata });
}

/** Changes what is given; new keys are tried, and the channels of the account go on with them. */
export async function changeIntegration(
  parts: Parts,
  row: Integration,
  change: { name?: string; config?: Record<string, unknown>; metadata?: Record<string, unknown>; sandbox: boolean },
): Promise<Integration> {
  const before = keysOf(parts, row);
  const given = change.config ? sorted(parts, row.type, change.config) : { settings: {}, credentials: undefined };
  const credentials = given.credentials ? { ...before, ...given.credentials } : before;
  if (given.credentials) await tryKeys(parts, { ...row, sandbox: change.sandbox }, credentials);
  const changed = await updateIntegration(parts.database, row.workspaceId, row.id, {
    name: change.name ?? row.name,
    settings: { ...row.settings, ...given.settings },
    credentials: credentials ? parts.vault.seal(credentials, contextOf(row.workspaceId, row.id)) : null,
    metadata: change.metadata ?? row.metadata,
  });
  if (!changed) throw new PatchbayError('not-found', 'Integration not found');
  if (change.config) await reconnect(parts, changed);
  return changed;
}

/** The account's own keys; undefined when it brings none. */
export function keysOf(parts: Pick<Engine, 'vault'>, row: Integration): Record<string, unknown> | undefined {
  if (!row.credentials || !row.credentialsKeyId) return undefined;
  return parts.vault.open(row.credentials, row.credentialsKeyId, contextOf(row.workspaceId, row.id)) as Record<string, unknown>;
}

/** Channels that were taken up before the account had keys, or with older ones, are connected for real. */
async function reconnect(parts: Parts, row: Integration): Promise<void> {
  const { rows } = await listVotelChannels(parts.database, row.workspaceId, { integrationId: row.id }, { limit: 1000, offset: 0 });
  for (const { id } of rows) {
    const channel = await parts.channels.get(row.workspaceId, id);
    if (channel.status === 'inactive') continue;
    try {
      const { sourceChannelId: identifier, name, sandbox } = channel;
      await connectFor(parts, row, { identifier, name, sandbox, existing: 'reuse' }, row.workspaceId);
    } catch (error) {
      if (!(error instanceof ProviderError) && !(error instanceof PatchbayError)) throw error;
      await parts.channels.report(row.workspaceId, id, { status: 'failed', statusReason: error.message });
    }
  }
}

export interface ConnectFor {
  /** The mail address, or the number. */
  identifier: string;
  name: string;
  sandbox: boolean;
  existing: 'reuse' | 'refuse';
  domain?: EmailDomain | undefined;
}

/**
 * A channel through a provider account. SMS without keys of its own is taken up without asking Twilio: it is `pending`,
 * and works as soon as the account, or the installation, has keys.
 */
export async function connectFor(
  parts: Parts,
  integration: Integration | undefined,
  wanted: ConnectFor,
  workspaceId: string,
): Promise<ChannelRow> {
  const { identifier, name, sandbox, existing, domain } = wanted;
  const keys = integration && keysOf(parts, integration);
  const settings = integration?.settings ?? {};
  if (integration?.type === 'email') {
    const dkim = domain && { domain: domain.domain, selector: domain.dkimSelector, private_key: dkimKeyOf(parts, domain) };
    const input = { ...settings, ...keys, email: identifier, name, provider: integration.provider, ...(dkim ? { dkim } : {}) };
    return parts.channels.connect({ workspaceId, source: 'email', input, name, sandbox, existing });
  }
  if (keys) {
    const input = { ...settings, ...keys, phone_number: identifier };
    return parts.channels.connect({ workspaceId, source: 'twilio.sms', input, name, sandbox, existing });
  }
  return parts.channels.place({
    workspaceId,
    source: 'twilio.sms',
    sourceChannelId: identifier,
    name,
    settings: { phone_number: identifier, ...settings },
    statusReason: 'its integration has no Twilio account yet: set account_sid and auth_token there',
    sandbox,
  });
}

const makeKeyPair = promisify(generateKeyPair);

/** Adds a mail domain with a DKIM key of its own. Throws `invalid` and `conflict`. */
export async function addDomain(parts: Parts, workspaceId: string, given: { domain: string; trusted: boolean }): Promise<EmailDomain> {
  const domain = normalDomain(given.domain);
  if (!domain) throw invalid('domain', 'is not a domain name');
  const { publicKey, privateKey } = await makeKeyPair('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const id = uuidv7();
  const stored = await insertEmailDomain(parts.database, {
    workspaceId,
    id,
    domain,
    dkimSelector: `patchbay${id.slice(-8)}`,
    dkimPublic: publicKey.toString('base64'),
    dkimPrivate: parts.vault.seal(privateKey, dkimContext(workspaceId, id)),
    trusted: given.trusted,
  });
  if (!stored) throw new PatchbayError('conflict', `the domain ${domain} is here already`);
  return stored;
}

/** Looks at the domain's records now. While the DNS does not answer, the earlier verdict stands. */
export async function verifyDomain(parts: Parts, domain: EmailDomain): Promise<EmailDomain> {
  const records = recordsFor(domain, mailHost(parts));
  const checks = await checkRecords(records, parts.dns);
  const required = checks.filter((check) => records.some((record) => record.purpose === check.purpose && record.required));
  const verdict = verdictOf(required);
  const kept = await keepChecks(parts.database, domain, checks, verdict);
  if (!kept) throw new PatchbayError('not-found', 'Email domain not found');
  return kept;
}

function verdictOf(checks: RecordCheck[]): boolean | undefined {
  if (checks.some((check) => check.status === 'missing' || check.status === 'wrong')) return false;
  return checks.every((check) => check.status === 'ok') ? true : undefined;
}

/** The name under which the built-in mail server is reached. */
export function mailHost(parts: Pick<Engine, 'config'>): string {
  return new URL(parts.config.publicUrl).hostname;
}

function dkimKeyOf(parts: Parts, domain: EmailDomain): string {
  return parts.vault.open(domain.dkimPrivate, domain.dkimKeyId, dkimContext(domain.workspaceId, domain.id)) as string;
}

function sorted(parts: Parts, type: Integration['type'], config: Record<string, unknown>) {
  const connector = parts.channels.connectorOf(type === 'email' ? 'email' : 'twilio.sms');
  const secret = new Set(Object.keys(connector.credentials.properties));
  const known = Object.entries(config).filter(([name, value]) => name in connector.input.properties && value !== null && value !== '');
  const settings = Object.fromEntries(known.filter(([name]) => !secret.has(name)));
  const credentials = Object.fromEntries(known.filter(([name]) => secret.has(name)));
  return { settings, credentials: Object.keys(credentials).length > 0 ? credentials : undefined };
}

/** Mailboxes are tried when a channel is made of them; a Twilio account can be tried at once. */
async function tryKeys(
  parts: Parts,
  account: { workspaceId: string; type: Integration['type']; sandbox: boolean },
  keys: Record<string, unknown> | undefined,
): Promise<void> {
  if (account.type !== 'sms' || !keys) return;
  const context = parts.contexts.for({ workspaceId: account.workspaceId, channelId: null, sandbox: account.sandbox });
  try {
    await checkAccount(keys as TwilioKeys, context);
  } catch (error) {
    if (error instanceof ProviderError && error.class !== 'retry' && error.class !== 'rate-limited' && error.class !== 'unknown-outcome') {
      throw invalid('credentials', error.message);
    }
    throw error;
  }
}

function contextOf(workspaceId: string, id: string): string {
  return `integration ${workspaceId} ${id}`;
}

function dkimContext(workspaceId: string, id: string): string {
  return `dkim ${workspaceId} ${id}`;
}
