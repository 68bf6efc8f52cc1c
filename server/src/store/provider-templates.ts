import type { TemplateEvent } from '../connectors/events.ts';
import { uuidv7 } from '../model/ids.ts';
import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface ProviderTemplateRow {
  workspaceId: string;
  id: string;
  source: string;
  account: string;
  name: string;
  language: string;
  /** Verbatim, as the provider writes it; DELETED when it vanished there. */
  status: string;
  category: string | null;
  quality: string | null;
  rejectedReason: string | null;
  providerRef: string | null;
  components: unknown[];
  history: TemplateChange[];
  syncedAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
}

export interface TemplateChange {
  at: string;
  field: 'status' | 'category' | 'quality';
  from: string | null;
  to: string | null;
  reason?: string;
}

const COLUMNS = `workspace_id as "workspaceId", id, source, account, name, language, status, category, quality,
  rejected_reason as "rejectedReason", provider_ref as "providerRef", components, history, synced_at as "syncedAt",
  created_at as "createdAt", updated_at as "updatedAt"`;

/** The templates of one provider account, by name. */
export async function templatesOfAccount(
  client: Client,
  workspaceId: string,
  source: string,
  account: string,
): Promise<ProviderTemplateRow[]> {
  const result = await client.query<ProviderTemplateRow>(
    `select ${COLUMNS} from provider_templates where workspace_id = $1 and source = $2 and account = $3 order by name, language`,
    [workspaceId, source, account],
  );
  return result.rows;
}

/** What a provider's webhook told about a template; answers what changed, or undefined when nothing did. */
export async function applyTemplateChange(
  client: Client,
  workspaceId: string,
  source: string,
  event: TemplateEvent,
): Promise<Record<string, unknown> | undefined> {
  const found = await client.query<ProviderTemplateRow>(
    `select ${COLUMNS} from provider_templates
     where workspace_id = $1 and source = $2 and account = $3 and name = $4 and language = $5 for update`,
    [workspaceId, source, event.account, event.name, event.language],
  );
  const row = found.rows[0];
  const at = (event.at ?? new Date()).toISOString();
  if (!row) {
    const id = uuidv7();
    await client.query(
      `insert into provider_templates (workspace_id, id, source, account, name, language, status, category, quality, rejected_reason, provider_ref)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing`,
      [
        workspaceId,
        id,
        source,
        event.account,
        event.name,
        event.language,
        event.status ?? 'PENDING',
        event.category ?? null,
        event.quality ?? null,
        event.reason ?? null,
        event.providerRef ?? null,
      ],
    );
    return { id, name: event.name, language: event.language, status: event.status ?? 'PENDING' };
  }
  const changes: TemplateChange[] = [];
  for (const field of ['status', 'category', 'quality'] as const) {
    const to = event[field];
    if (to !== undefined && to !== row[field])
      changes.push({ at, field, from: row[field], to, ...(event.reason ? { reason: event.reason } : {}) });
  }
  if (changes.length === 0) return undefined;
  await client.query(
    `update provider_templates set status = $3, category = $4, quality = $5, rejected_reason = coalesce($6, rejected_reason),
       history = history || $7::jsonb, updated_at = now() where workspace_id = $1 and id = $2`,
    [
      workspaceId,
      row.id,
      event.status ?? row.status,
      event.category ?? row.category,
      event.quality ?? row.quality,
      event.reason ?? null,
      toJson(changes),
    ],
  );
  return { id: row.id, name: row.name, language: row.language, changes };
}
