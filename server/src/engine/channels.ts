/** Connecting, changing and disconnecting channels: the same for every source and every surface. */
import type { AccountOperations, ChannelView, Connected, Connector } from '../connectors/connector.ts';
import type { Registry } from '../connectors/registry.ts';
import { isConnected } from '../model/channel.ts';
import { invalid, notFound, PatchbayError, ProviderError } from '../model/errors.ts';
import { uuidv7 } from '../model/ids.ts';
import {
  type ChannelChange,
  type ChannelFilter,
  type ChannelRow,
  changeChannel,
  channelsByAccount,
  channelsByAddress,
  getChannel,
  listChannels,
  upsertChannel,
} from '../store/channels.ts';
import type { Client, Database } from '../store/database.ts';
import { dropFarewell, keepFarewell } from '../store/farewells.ts';
import { appendEvents } from '../store/ingest-sql.ts';
import type { Vault } from '../store/vault.ts';
import { forgetVotelFields } from '../store/votel-channels.ts';
import { checkInput } from './channel-input.ts';
import type { Contexts } from './contexts.ts';
import type { Routes } from './routes.ts';
import type { Sandboxes } from './sandboxes.ts';

/** A provider that was not told by then is told by the farewells' worker; longer than any call to it takes. */
const FAREWELL_AFTER_SECONDS = 150;

export interface ConnectRequest {
  workspaceId: string;
  source: string;
  /** By the connector's `input` schema. */
  input: Record<string, unknown>;
  name?: string;
  imageUrl?: string;
  metadata?: Record<string, unknown>;
  /** Made with a test key: a stand-in answers. */
  sandbox: boolean;
  /** What happens when the account is connected already: `reuse` it (Airy), or `refuse` (the other surfaces). */
  existing: 'reuse' | 'refuse';
}

export interface ChannelsOptions {
  database: Database;
  registry: Registry;
  vault: Vault;
  contexts: Contexts;
  routes: Routes;
  sandboxes: Pick<Sandboxes, 'prepare'>;
  /** Called after a channel was connected, changed or disconnected here. */
  changed?(): void;
}

export class Channels {
  readonly #database: Database;
  readonly #registry: Registry;
  readonly #vault: Vault;
  readonly #contexts: Contexts;
  readonly #routes: Routes;
  readonly #sandboxes: Pick<Sandboxes, 'prepare'>;
  readonly #tell: () => void;

  constructor(options: ChannelsOptions) {
    this.#database = options.database;
    this.#registry = options.registry;
    this.#vault = options.vault;
    this.#contexts = options.contexts;
    this.#routes = options.routes;
    this.#sandboxes = options.sandboxes;
    this.#tell = () => options.changed?.();
  }

  /**
   * Connects an account. The provider is asked first: nothing is stored when it refuses. The same account again keeps
   * its channel id and history. Throws `PatchbayError` (`invalid`, `conflict`, `provider-refused`, …) or `ProviderError`.
   */
  async connect(request: ConnectRequest): Promise<ChannelRow> {
    const connector = this.connectorOf(request.source);
    const input = checkInput(connector, request.input);
    const context = this.#contexts.for({ workspaceId: request.workspaceId, channelId: null, sandbox: request.sandbox });
    if (request.sandbox) await this.#sandboxes.prepare(request.workspaceId, request.source, input);
    const connected = (await connector.connect(input, context)) as Connected<Record<string, unknown>, Record<string, unknown>>;
    return this.#store(request, connected);
  }

  async #store(request: ConnectRequest, connected: Connected<Record<string, unknown>, Record<string, unknown>>): Promise<ChannelRow> {
    const connector = this.connectorOf(request.source);
    const account =
      connector.account?.({
        sourceChannelId: connected.sourceChannelId,
        settings: connected.settings,
        details: connected.details ?? {},
      }) ?? connected.sourceChannelId;
    const row = await this.#database.transaction(async (client) => {
      // Two that connect the same new account at once: the second one finds the first one's row.
      await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `channel ${request.workspaceId} ${request.source} ${connected.sourceChannelId}`,
      ]);
      await this.#mustBeFree(client, connector, request, connected);
      const [existing] = (
        await client.query<{ id: string; status: ChannelRow['status']; name: string; sandbox: boolean }>(
          'select id, status, name, sandbox from channels where workspace_id = $1 and source = $2 and source_channel_id = $3 for update',
          [request.workspaceId, request.source, connected.sourceChannelId],
        )
      ).rows;
      if (existing && isConnected(existing.status) && request.existing === 'refuse') {
        throw new PatchbayError('conflict', `${connector.title} ${connected.sourceChannelId} is connected already`, {
          details: { channelId: existing.id },
        });
      }
      // A stand-in must not take the place of a real connection, nor show its history to test keys; nor the other way round.
      if (existing && existing.sandbox !== request.sandbox && (!existing.sandbox || existing.status !== 'deleted')) {
        const made = existing.sandbox ? 'with a test key: delete that channel first' : 'with a live key';
        throw new PatchbayError('conflict', `${connector.title} ${connected.sourceChannelId} was connected ${made}`);
      }
      const id = existing?.id ?? uuidv7();
      const sealed = this.#vault.seal(connected.credentials, contextOf(request.workspaceId, id));
      const stored = await upsertChannel(client, {
        workspaceId: request.workspaceId,
        id,
        source: request.source,
        sourceChannelId: connected.sourceChannelId,
        account,
        name: request.name ?? connected.name ?? existing?.name ?? `${connector.title} ${connected.sourceChannelId}`,
        imageUrl: request.imageUrl ?? connected.imageUrl ?? null,
        status: connected.status ?? 'active',
        statusReason: connected.statusReason ?? null,
        sandbox: request.sandbox,
        settings: connected.settings,
        credentials: sealed.data,
        credentialsKeyId: sealed.keyId,
        details: connected.details ?? {},
        metadata: request.metadata ?? {},
      });
      await appendEvents(client, [
        { workspaceId: request.workspaceId, type: existing ? 'channel.updated' : 'channel.created', channelId: id },
      ]);
      return stored;
    });
    this.#changed();
    return row;
  }

  /** Throws `conflict` when the account can be one channel's only, and another workspace has it. */
  async #mustBeFree(
    client: Client,
    connector: Connector,
    { workspaceId, source, sandbox }: ConnectRequest,
    { sourceChannelId, settings, details = {} }: Connected<Record<string, unknown>, Record<string, unknown>>,
  ): Promise<void> {
    if (sandbox || !connector.exclusive?.({ settings, details })) return;
    // Two workspaces at the same moment: the second waits for the first, and finds its channel.
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`account ${source} ${sourceChannelId}`]);
    const others = await channelsByAddress(client, source, sourceChannelId);
    const taken = others.some(
      (other) =>
        other.workspaceId !== workspaceId &&
        !other.sandbox &&
        isConnected(other.status) &&
        connector.exclusive?.({ settings: other.settings, details: {} }),
    );
    if (taken) throw new PatchbayError('conflict', `${sourceChannelId} is connected in another workspace of this installation`);
  }

  /**
   * Takes a channel up without asking its provider, who is not reachable yet (no credentials): it is `pending` until a
   * health check or a connect finds out more. Throws `conflict` when the account is connected already.
   */
  async place(request: {
    workspaceId: string;
    source: string;
    sourceChannelId: string;
    name: string;
    settings: Record<string, unknown>;
    statusReason: string;
    sandbox: boolean;
  }): Promise<ChannelRow> {
    const { workspaceId, source, name, sandbox, sourceChannelId, settings, statusReason } = request;
    const connected = { sourceChannelId, settings, credentials: {}, status: 'pending' as const, statusReason };
    return this.#store({ workspaceId, source, name, sandbox, input: {}, existing: 'refuse' }, connected);
  }

  /** What a connector found out about a channel anew (after a consent): stored as after a connect, under the same id. */
  async renew(row: ChannelRow, connected: Connected<Record<string, unknown>, Record<string, unknown>>): Promise<ChannelRow> {
    const { workspaceId, source, name, sandbox, sourceChannelId } = row;
    if (connected.sourceChannelId !== sourceChannelId) {
      throw new PatchbayError('conflict', `${connected.sourceChannelId} is another account than ${sourceChannelId}`);
    }
    return this.#store({ workspaceId, source, name, sandbox, input: {}, existing: 'reuse' }, connected);
  }

  /** Accounts that could be connected, as the provider lists them, each with whether it is connected. */
  async explore(workspaceId: string, source: string, input: Record<string, unknown>, sandbox: boolean) {
    const connector = this.connectorOf(source);
    if (!connector.explore) throw new PatchbayError('not-supported', `${connector.title} has no list of accounts`);
    const context = this.#contexts.for({ workspaceId, channelId: null, sandbox });
    if (sandbox) await this.#sandboxes.prepare(workspaceId, source, input);
    const candidates = await connector.explore(input, context);
    const rows = await listChannels(this.#database, workspaceId, { sources: [source] });
    const connected = new Set(rows.filter((row) => isConnected(row.status)).map((row) => row.sourceChannelId));
    return candidates.map((candidate) => ({ ...candidate, connected: connected.has(candidate.sourceChannelId) }));
  }

  /** Ends a channel's connection: undone at the provider too, as far as it can be reached; history stays. */
  async disconnect(workspaceId: string, id: string): Promise<ChannelRow> {
    return this.#end(workspaceId, id, { status: 'inactive', statusReason: 'disconnected' });
  }

  /** Disconnects a channel and takes it out of the lists. */
  async delete(workspaceId: string, id: string): Promise<void> {
    await this.#end(workspaceId, id, { status: 'deleted', statusReason: null, deletedAt: new Date() });
  }

  async #end(workspaceId: string, id: string, change: ChannelChange): Promise<ChannelRow> {
    const row = await this.get(workspaceId, id);
    if (row.status === change.status) return row;
    const view = this.view(row);
    // Written with the change, so that a process which ends before the provider was called still says goodbye.
    const owed = isConnected(row.status) && this.connectorOf(row.source).disconnect !== undefined;
    const changed = await this.#change(workspaceId, id, { ...change, credentials: null }, async (client) => {
      if (owed) await keepFarewell(client, row, this.#vault.seal(view, contextOf(workspaceId, id)), FAREWELL_AFTER_SECONDS);
      // Its number, and its place as the default, are free again.
      if (change.status === 'deleted') await forgetVotelFields(client, workspaceId, id);
    });
    // Only now, so that of two channels of one account that end at once the later one finds itself the last.
    if (owed) await this.#disconnectAtProvider(row, view);
    return changed;
  }

  /** True when no other connected channel needs what the provider set up for this one's account. */
  async isLastOfAccount(row: Pick<ChannelRow, 'id' | 'source' | 'account' | 'sandbox'>): Promise<boolean> {
    // Sources of one provider share its subscription: a page's Facebook and Instagram channels do.
    const sources = this.#registry.sourcesOfProvider(row.source);
    const lists = await Promise.all(sources.map((source) => channelsByAccount(this.#database, source, row.account)));
    return !lists.flat().some((other) => other.id !== row.id && other.sandbox === row.sandbox && isConnected(other.status));
  }

  async #disconnectAtProvider(row: ChannelRow, view: ChannelView): Promise<void> {
    const connector = this.connectorOf(row.source);
    const lastOfAccount = await this.isLastOfAccount(row);
    const context = this.#contexts.for({ workspaceId: row.workspaceId, channelId: row.id, sandbox: row.sandbox });
    try {
      await connector.disconnect?.(view, context, { lastOfAccount });
    } catch (error) {
      // Without credentials nothing was ever set up there.
      const nothingThere = error instanceof PatchbayError && error.code === 'setting-missing';
      if (!nothingThere && !(error instanceof ProviderError)) throw error;
      if (!nothingThere) context.log.warn({ channel: row.id, err: error }, 'the provider could not be told of the disconnect');
      // Credentials that do not work will not work later either; the rest is said again by the farewells' worker.
      if (error instanceof ProviderError && error.class !== 'unauthorized') return;
    }
    await dropFarewell(this.#database, row.workspaceId, row.id);
  }

  #changed(): void {
    this.#routes.forget();
    this.#tell();
  }

  /** Changes what is given and tells everybody. Throws `not-found`. */
  change(workspaceId: string, id: string, change: ChannelChange): Promise<ChannelRow> {
    return this.#change(workspaceId, id, change);
  }

  /**
   * What was found out about a channel while it worked (health, a refusal, what its receiver tells). One that was switched
   * off, disconnected or deleted meanwhile stays that.
   */
  async report(workspaceId: string, id: string, change: ChannelChange): Promise<ChannelRow> {
    const changed = await this.#write(workspaceId, id, change, { only: 'connected' });
    return changed ?? this.get(workspaceId, id);
  }

  /** `also` is done in the same transaction. */
  async #change(workspaceId: string, id: string, change: ChannelChange, also?: (client: Client) => Promise<void>): Promise<ChannelRow> {
    const changed = await this.#write(workspaceId, id, change, { also });
    if (!changed) throw notFound('channel');
    return changed;
  }

  async #write(
    workspaceId: string,
    id: string,
    change: ChannelChange,
    { only, also }: { only?: 'connected'; also?: ((client: Client) => Promise<void>) | undefined },
  ): Promise<ChannelRow | undefined> {
    const changed = await this.#database.transaction(async (client) => {
      const row = await changeChannel(client, workspaceId, id, change, only);
      if (row) {
        await appendEvents(client, [
          { workspaceId, type: row.status === 'deleted' ? 'channel.deleted' : 'channel.updated', channelId: id },
        ]);
        await also?.(client);
      }
      return row;
    });
    if (changed) this.#changed();
    return changed;
  }

  /** Replaces the credentials of a channel that works; its id and history stay. */
  async replaceCredentials(workspaceId: string, id: string, credentials: Record<string, unknown>): Promise<ChannelRow> {
    const sealed = this.#vault.seal(credentials, contextOf(workspaceId, id));
    return this.report(workspaceId, id, { credentials: sealed, lastError: null });
  }

  /** A channel, deleted ones too. Throws `not-found`. */
  async get(workspaceId: string, id: string): Promise<ChannelRow> {
    const row = await getChannel(this.#database, workspaceId, id);
    if (!row) throw notFound('channel');
    return row;
  }

  list(workspaceId: string, filter: ChannelFilter = {}): Promise<ChannelRow[]> {
    return listChannels(this.#database, workspaceId, filter);
  }

  /** The channel as its connector sees it, credentials opened. */
  view(row: ChannelRow): ChannelView {
    const credentials =
      row.credentials && row.credentialsKeyId
        ? (this.#vault.open(row.credentials, row.credentialsKeyId, contextOf(row.workspaceId, row.id)) as Record<string, unknown>)
        : {};
    const { id, workspaceId, sourceChannelId, name, sandbox, settings, details } = row;
    return { id, workspaceId, sourceChannelId, name, sandbox, settings, credentials, details };
  }

  /** The sources whose connector has something. */
  sourcesThat(has: (connector: Connector) => boolean): string[] {
    return this.#registry.connectors.filter(has).map((connector) => connector.source);
  }

  /** The source whose channels share accounts of this type, and what can be done with them. */
  sharing(type: AccountOperations<unknown>['type']): { source: string; connector: Connector; accounts: AccountOperations<any> } {
    const connector = this.#registry.connectors.find(({ accounts }) => accounts?.type === type);
    if (!connector?.accounts) throw new PatchbayError('not-supported', `no source has ${type} accounts`);
    return { source: connector.source, connector, accounts: connector.accounts };
  }

  connectorOf(source: string): Connector {
    const connector = this.#registry.connector(source);
    if (!connector) throw invalid('source', `there is no source "${source}"`);
    return connector;
  }
}

function contextOf(workspaceId: string, channelId: string): string {
  return `channel ${workspaceId} ${channelId}`;
}
