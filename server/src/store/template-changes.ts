/** What providers' webhooks tell about templates, in whatever order they come: the history decides what holds now. */
import type { TemplateEvent } from '../connectors/events.ts';
import { uuidv7 } from '../model/ids.ts';
import type { Client } from './database.ts';
import { toJson } from './json.ts';
import { COLUMNS, type ProviderTemplateRow, type TemplateChange } from './provider-templates.ts';

const FIELDS = ['category', 'quality', 'status'] as const;
/** A sync saw the template itself; what is told of the time well before it changes nothing any more. */
const BEFORE_SYNC_MS = 60_000;

/**
 * Applies what was told; answers what changed, or undefined when nothing did. A template that is not known yet, and one
 * whose words changed, are read anew at the next sync, which is asked for.
 */
export async function applyTemplateChange(
  client: Client,
  workspaceId: string,
  source: string,
  event: TemplateEvent,
  at: Date,
): Promise<Record<string, unknown> | undefined> {
  const row = await findTold(client, workspaceId, source, event);
  if (!row || event.contentChanged) await syncSoon(client, workspaceId, source, event.account);
  if (!row) return insertTold(client, workspaceId, source, event, at);
  const told = FIELDS.flatMap((field) => {
    const to = event[field];
    return to === undefined ? [] : [{ at: at.toISOString(), field, from: null, to, ...(event.reason ? { reason: event.reason } : {}) }];
  });
  const history = told.reduce((list, change) => withChange(list, change, row), row.history);
  const counts = row.syncedAt === null || at.getTime() > row.syncedAt.getTime() - BEFORE_SYNC_MS;
  const now = counts ? valuesAfter(history, row) : row;
  const changes = told.filter(({ field, to }) => counts && row[field] !== to && now[field] === to);
  if (changes.length === 0 && history.length === row.history.length) return undefined;
  await client.query(
    `update provider_templates set status = $3, category = $4, quality = $5, rejected_reason = $6, history = $7, updated_at = now()
     where workspace_id = $1 and id = $2`,
    [workspaceId, row.id, now.status, now.category, now.quality, now.rejectedReason, toJson(history)],
  );
  return { id: row.id, name: row.name, language: row.language, changes };
}

/** By the provider's own id where it tells one: languages are written in more than one way. */
async function findTold(
  client: Client,
  workspaceId: string,
  source: string,
  event: TemplateEvent,
): Promise<ProviderTemplateRow | undefined> {
  const found = await client.query<ProviderTemplateRow>(
    `select ${COLUMNS} from provider_templates where workspace_id = $1 and source = $2 and account = $3
       and (provider_ref = $4 or (name = $5 and replace(language, '-', '_') = replace($6, '-', '_')))
     order by provider_ref is distinct from $4 limit 1 for update`,
    [workspaceId, source, event.account, event.providerRef ?? null, event.name, event.language],
  );
  return found.rows[0];
}

async function insertTold(
  client: Client,
  workspaceId: string,
  source: string,
  event: TemplateEvent,
  at: Date,
): Promise<Record<string, unknown>> {
  const id = uuidv7();
  const status = event.status ?? 'PENDING';
  const history = FIELDS.flatMap((field): TemplateChange[] => {
    const to = event[field];
    return to === undefined ? [] : [{ at: at.toISOString(), field, from: null, to, ...(event.reason ? { reason: event.reason } : {}) }];
  });
  await client.query(
    `insert into provider_templates (workspace_id, id, source, account, name, language, status, category, quality, rejected_reason, provider_ref, history)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing`,
    [
      workspaceId,
      id,
      source,
      event.account,
      event.name,
      event.language,
      status,
      event.category ?? null,
      event.quality ?? null,
      event.status ? (event.reason ?? null) : null,
      event.providerRef ?? null,
      toJson(history),
    ],
  );
  return { id, name: event.name, language: event.language, status };
}

async function syncSoon(client: Client, workspaceId: string, source: string, account: string): Promise<void> {
  await client.query('update channels set templates_at = null where workspace_id = $1 and source = $2 and account = $3', [
    workspaceId,
    source,
    account,
  ]);
}

/** The history with one more change in its place; what each came from follows from the one before. */
function withChange(history: TemplateChange[], change: TemplateChange, row: ProviderTemplateRow): TemplateChange[] {
  const ofField = history.filter(({ field }) => field === change.field);
  if (ofField.some(({ at, to }) => at === change.at && to === change.to)) return history;
  const first = ofField.length > 0 ? ofField[0]!.from : row.syncedAt === null ? null : row[change.field];
  const sorted = [...ofField, change].sort((one, other) => (one.at === other.at ? compare(one.to, other.to) : compare(one.at, other.at)));
  let from = first;
  const chained = sorted.map((entry) => {
    const linked = { ...entry, from };
    from = entry.to;
    return linked;
  });
  const others = history.filter(({ field }) => field !== change.field);
  return [...others, ...chained].sort((one, other) => compare(one.at, other.at) || compare(one.field, other.field));
}

function compare(one: string | null, other: string | null): number {
  const [a, b] = [one ?? '', other ?? ''];
  return a < b ? -1 : a > b ? 1 : 0;
}

function valuesAfter(history: TemplateChange[], row: ProviderTemplateRow) {
  const last = (field: TemplateChange['field']) => history.findLast((change) => change.field === field);
  const status = last('status');
  return {
    status: status?.to ?? row.status,
    category: last('category')?.to ?? row.category,
    quality: last('quality')?.to ?? row.quality,
    rejectedReason: status ? (status.reason ?? null) : row.rejectedReason,
  };
}
