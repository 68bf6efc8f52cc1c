/** Provider accounts that channels share (Votel calls them integrations), and their keys. */
import { invalid, notFound, PatchbayError, ProviderError } from '../model/errors.ts';
import { uuidv7 } from '../model/ids.ts';
import { deleteIntegration, type Integration, insertIntegration, updateIntegration } from '../store/integrations.ts';
import type { Engine } from './engine.ts';

type Parts = Pick<Engine, 'database' | 'vault' | 'channels' | 'contexts'>;

export interface NewIntegration {
  workspaceId: string;
  name: string;
  type: Integration['type'];
  /** The type's first one where none is named. */
  provider?: string | undefined;
  /** Settings and secrets together, by the names of the connector's own form. */
  config: Record<string, unknown>;
  metadata: Record<string, unknown>;
  sandbox: boolean;
}

/** Keeps a provider account. Keys that it brings are tried first: `invalid` on `credentials` when they are refused, on `provider` for one that is not known. */
export async function addIntegration(parts: Parts, given: NewIntegration): Promise<Integration> {
  const { providers } = parts.channels.sharing(given.type).accounts;
  const { provider = providers[0] } = given;
  if (!providers.includes(provider)) throw invalid('provider', `must be one of ${providers.join(', ')}`);
  const id = uuidv7();
  const { settings, credentials } = sorted(parts, given.type, given.config);
  await tryKeys(parts, given, credentials);
  const sealed = credentials ? parts.vault.seal(credentials, contextOf(given.workspaceId, id)) : null;
  const { name, type, metadata, sandbox } = given;
  return insertIntegration(parts.database, given.workspaceId, {
    id,
    name,
    type,
    provider,
    settings,
    credentials: sealed,
    metadata,
    sandbox,
  });
}

export interface IntegrationChange {
  name?: string;
  /** Settings and secrets together; what is not given stays. */
  config?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
}

/** Changes what is given; new keys are tried first. The account's channels do not know of them yet (account-channels.ts). */
export async function changeIntegration(parts: Parts, row: Integration, change: IntegrationChange): Promise<Integration> {
  const before = keysOf(parts, row);
  const given = change.config ? sorted(parts, row.type, change.config) : { settings: {}, credentials: undefined };
  const credentials = given.credentials ? { ...before, ...given.credentials } : before;
  if (given.credentials) await tryKeys(parts, row, credentials);
  const changed = await updateIntegration(parts.database, row.workspaceId, row.id, {
    name: change.name ?? row.name,
    settings: { ...row.settings, ...given.settings },
    credentials: credentials ? parts.vault.seal(credentials, contextOf(row.workspaceId, row.id)) : null,
    metadata: change.metadata ?? row.metadata,
  });
  if (!changed) throw notFound('Integration');
  return changed;
}

/** Forgets an account. Throws `not-found`, and `conflict` while channels or numbers need it. */
export async function removeIntegration(parts: Pick<Engine, 'database'>, row: Integration): Promise<void> {
  const outcome = await parts.database.transaction((client) => deleteIntegration(client, row.workspaceId, row.id));
  if (outcome === 'in-use') throw new PatchbayError('conflict', 'Channels or phone numbers still use this integration');
  if (!outcome) throw notFound('Integration');
}

/** The account's own keys; undefined when it brings none. */
export function keysOf(parts: Pick<Engine, 'vault'>, row: Integration): Record<string, unknown> | undefined {
  if (!row.credentials || !row.credentialsKeyId) return undefined;
  return parts.vault.open(row.credentials, row.credentialsKeyId, contextOf(row.workspaceId, row.id)) as Record<string, unknown>;
}

function sorted(parts: Parts, type: Integration['type'], config: Record<string, unknown>) {
  const { connector } = parts.channels.sharing(type);
  const secret = new Set(Object.keys(connector.credentials.properties));
  const known = Object.entries(config).filter(([name, value]) => name in connector.input.properties && value !== null && value !== '');
  const settings = Object.fromEntries(known.filter(([name]) => !secret.has(name)));
  const credentials = Object.fromEntries(known.filter(([name]) => secret.has(name)));
  return { settings, credentials: Object.keys(credentials).length > 0 ? credentials : undefined };
}

/** Some accounts can be tried only when a channel is made of them. */
async function tryKeys(
  parts: Parts,
  account: { workspaceId: string; type: Integration['type']; sandbox: boolean },
  keys: Record<string, unknown> | undefined,
): Promise<void> {
  const { check } = parts.channels.sharing(account.type).accounts;
  if (!check || !keys) return;
  const context = parts.contexts.for({ workspaceId: account.workspaceId, channelId: null, sandbox: account.sandbox });
  try {
    await check(keys, context);
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
