/** Keeps the templates that a provider approved in step with the provider: by button, by timer and by webhook. */
import type { NewTemplate, ProviderTemplate } from '../connectors/connector.ts';
import { PatchbayError } from '../model/errors.ts';
import { uuidv7 } from '../model/ids.ts';
import type { ChannelRow } from '../store/channels.ts';
import type { Client } from '../store/database.ts';
import { appendEvents } from '../store/ingest-sql.ts';
import { markTemplatesDeleted, type ProviderTemplateRow, saveTemplate, templatesOfAccount } from '../store/provider-templates.ts';
import type { Engine } from './engine.ts';
import { Worker } from './worker.ts';

type Parts = Pick<Engine, 'database' | 'channels' | 'contexts' | 'log'>;

export interface SyncCounts {
  /** Seen at the provider. */
  synced: number;
  /** New here. */
  added: number;
  /** Changed here; what stayed as it was is not counted. */
  updated: number;
}

const EVERY_MINUTES = 60;

export function templateSync(parts: Parts): Worker {
  return new Worker({
    name: 'templates',
    restMs: 5_000,
    log: parts.log,
    work: async () => {
      const due = await parts.database.query<{ workspaceId: string; id: string }>(
        `update channels set templates_at = now() where (workspace_id, id) in (
           select workspace_id, id from channels where status in ('active', 'warning') and source = any($2)
             and coalesce(templates_at, 'epoch') < now() - make_interval(mins => $1::integer) limit 10 for update skip locked)
         returning workspace_id as "workspaceId", id`,
        [EVERY_MINUTES, parts.channels.sourcesThat((connector) => connector.templates !== undefined)],
      );
      for (const row of due.rows) {
        const channel = await parts.channels.get(row.workspaceId, row.id);
        await syncTemplates(parts, channel).catch((error) =>
          parts.log.warn({ channel: row.id, err: error }, 'templates could not be synced; trying again in an hour'),
        );
      }
      return due.rows.length;
    },
  });
}

/**
 * Fetches every template of the channel's account and stores them in one transaction: a sync that fails half-way
 * changes nothing. One that vanished at the provider is marked DELETED. Throws `ProviderError`.
 */
export async function syncTemplates(parts: Parts, channel: ChannelRow): Promise<SyncCounts> {
  const operations = operationsOf(parts, channel);
  const view = parts.channels.view(channel);
  const seen = await operations.list(view, parts.contexts.for({ ...channel, channelId: channel.id }));
  const account = operations.account(view);
  return parts.database.transaction(async (client) => {
    await client.query('update channels set templates_at = now() where workspace_id = $1 and id = $2', [channel.workspaceId, channel.id]);
    const known = await templatesOfAccount(client, channel.workspaceId, channel.source, account);
    const counts: SyncCounts = { synced: seen.length, added: 0, updated: 0 };
    const present = new Set<string>();
    for (const template of seen) {
      const before = known.find((row) => row.name === template.name && row.language === template.language);
      const saved = await save(client, channel, account, template, before);
      present.add(saved.id);
      if (!before) counts.added++;
      else if (saved.changed) counts.updated++;
    }
    const gone = known.filter((row) => !present.has(row.id) && row.status !== 'DELETED');
    await markTemplatesDeleted(
      client,
      channel.workspaceId,
      gone.map((row) => row.id),
    );
    if (counts.added + counts.updated + gone.length > 0) {
      await appendEvents(client, [
        { workspaceId: channel.workspaceId, type: 'template.updated', channelId: channel.id, data: { ...counts } },
      ]);
    }
    return counts;
  });
}

/** Submits a template to the provider, and stores it as the provider answered. Throws `ProviderError`. */
export async function createTemplate(parts: Parts, channel: ChannelRow, template: NewTemplate): Promise<ProviderTemplateRow> {
  const operations = operationsOf(parts, channel);
  const view = parts.channels.view(channel);
  const created = await operations.create(template, view, parts.contexts.for({ ...channel, channelId: channel.id }));
  return keep(parts, channel, operations.account(view), created);
}

/** Changes a template at the provider. Throws `ProviderError`, or `not-supported`. */
export async function editTemplate(
  parts: Parts,
  channel: ChannelRow,
  row: ProviderTemplateRow,
  change: { components?: unknown[]; category?: string },
): Promise<ProviderTemplateRow> {
  const operations = operationsOf(parts, channel);
  if (!operations.edit) throw new PatchbayError('not-supported', 'templates of this source cannot be edited');
  const wanted: ProviderTemplate = {
    name: row.name,
    language: row.language,
    status: row.status,
    components: change.components ?? row.components,
    ...((change.category ?? row.category) ? { category: change.category ?? row.category! } : {}),
    ...(row.providerRef ? { providerRef: row.providerRef } : {}),
  };
  const edited = await operations.edit(wanted, parts.channels.view(channel), parts.contexts.for({ ...channel, channelId: channel.id }));
  return keep(parts, channel, row.account, edited, row);
}

/** Deletes a template at the provider and marks it here. Throws `ProviderError`, or `not-supported`. */
export async function deleteTemplate(parts: Parts, channel: ChannelRow, row: ProviderTemplateRow): Promise<void> {
  const operations = operationsOf(parts, channel);
  if (!operations.delete) throw new PatchbayError('not-supported', 'templates of this source cannot be deleted');
  await operations.delete(
    { name: row.name, language: row.language, ...(row.providerRef ? { providerRef: row.providerRef } : {}) },
    parts.channels.view(channel),
    parts.contexts.for({ ...channel, channelId: channel.id }),
  );
  await parts.database.transaction(async (client) => {
    await markTemplatesDeleted(client, channel.workspaceId, [row.id]);
    await appendEvents(client, [
      { workspaceId: channel.workspaceId, type: 'template.updated', channelId: channel.id, data: { id: row.id } },
    ]);
  });
}

async function keep(
  parts: Parts,
  channel: ChannelRow,
  account: string,
  template: ProviderTemplate,
  before?: ProviderTemplateRow,
): Promise<ProviderTemplateRow> {
  return parts.database.transaction(async (client) => {
    const rows = before ? [before] : await templatesOfAccount(client, channel.workspaceId, channel.source, account);
    const known = rows.find((row) => row.name === template.name && row.language === template.language);
    const { id } = await save(client, channel, account, template, known);
    await appendEvents(client, [{ workspaceId: channel.workspaceId, type: 'template.updated', channelId: channel.id, data: { id } }]);
    const stored = await templatesOfAccount(client, channel.workspaceId, channel.source, account);
    return stored.find((row) => row.id === id)!;
  });
}

function save(client: Client, channel: ChannelRow, account: string, template: ProviderTemplate, before: ProviderTemplateRow | undefined) {
  const { workspaceId, source } = channel;
  return saveTemplate(client, { workspaceId, id: before?.id ?? uuidv7(), source, account }, template, before);
}

function operationsOf(parts: Parts, channel: ChannelRow) {
  const { templates, title } = parts.channels.connectorOf(channel.source);
  if (!templates) throw new PatchbayError('not-supported', `${title} has no templates`);
  return templates;
}
