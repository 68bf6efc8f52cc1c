import type { ProviderTemplate } from '../connectors/connector.ts';
import type { Client } from './database.ts';
import { canonicalJson, toJson } from './json.ts';

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

/** All columns, named as in `ProviderTemplateRow`. */
export const COLUMNS = `workspace_id as "workspaceId", id, source, account, name, language, status, category, quality,
  rejected_reason as "rejectedReason", provider_ref as "providerRef", components, history, synced_at as "syncedAt",
  created_at as "createdAt", updated_at as "updatedAt"`;

/** A stored template in the connectors' words. */
export function templateShape(row: ProviderTemplateRow): ProviderTemplate {
  return {
    name: row.name,
    language: row.language,
    status: row.status,
    components: row.components,
    ...(row.category ? { category: row.category } : {}),
    ...(row.quality ? { quality: row.quality } : {}),
    ...(row.providerRef ? { providerRef: row.providerRef } : {}),
  };
}

/** One template, also one that vanished at the provider. */
export async function getTemplate(client: Client, workspaceId: string, id: string): Promise<ProviderTemplateRow | undefined> {
  const result = await client.query<ProviderTemplateRow>(`select ${COLUMNS} from provider_templates where workspace_id = $1 and id = $2`, [
    workspaceId,
    id,
  ]);
  return result.rows[0];
}

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

/** Stores a template as the provider has it now; `changed` says whether anything differs from `before`. */
export async function saveTemplate(
  client: Client,
  key: { workspaceId: string; id: string; source: string; account: string },
  template: ProviderTemplate,
  before: ProviderTemplateRow | undefined,
): Promise<{ id: string; changed: boolean }> {
  const at = new Date().toISOString();
  const history: TemplateChange[] = [];
  for (const field of ['status', 'category', 'quality'] as const) {
    const to = template[field] ?? null;
    if (before && to !== null && to !== before[field]) history.push({ at, field, from: before[field], to });
  }
  const changed =
    !before ||
    history.length > 0 ||
    (template.rejectedReason ?? null) !== before.rejectedReason ||
    canonicalJson(template.components) !== canonicalJson(before.components);
  await client.query(
    `insert into provider_templates (workspace_id, id, source, account, name, language, status, category, quality, rejected_reason,
       provider_ref, components, history, synced_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, now())
     on conflict (workspace_id, source, account, name, language) do update set
       status = excluded.status, category = coalesce(excluded.category, provider_templates.category),
       quality = coalesce(excluded.quality, provider_templates.quality), rejected_reason = excluded.rejected_reason,
       provider_ref = coalesce(excluded.provider_ref, provider_templates.provider_ref), components = excluded.components,
       history = provider_templates.history || excluded.history, synced_at = now(),
       updated_at = case when $14 then now() else provider_templates.updated_at end`,
    [
      key.workspaceId,
      key.id,
      key.source,
      key.account,
      template.name,
      template.language,
      template.status,
      template.category ?? null,
      template.quality ?? null,
      template.rejectedReason ?? null,
      template.providerRef ?? null,
      toJson(template.components),
      toJson(history),
      changed,
    ],
  );
  return { id: key.id, changed };
}

/** Marks templates that are gone at the provider; they are never dropped. */
export async function markTemplatesDeleted(client: Client, workspaceId: string, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await client.query(
    `update provider_templates set status = 'DELETED', updated_at = now(), history = history || jsonb_build_array(
       jsonb_build_object('at', now(), 'field', 'status', 'from', status, 'to', 'DELETED'))
     where workspace_id = $1 and id = any($2) and status <> 'DELETED'`,
    [workspaceId, ids],
  );
}

export interface TemplateFilter {
  source?: string;
  account?: string;
  status?: string;
  language?: string;
  search?: string;
  id?: string;
  /** Those that vanished at the provider too; without it only a `status` of DELETED asks for them. */
  withDeleted?: boolean;
  /** Templates of these accounts only. */
  accounts?: string[];
  /** The last row of the page before. */
  after?: { name: string; language: string; id: string };
  backwards?: boolean;
  limit: number;
  offset: number;
}

/** A page of a workspace's templates by name, and how many there are in all. */
export async function listTemplates(
  client: Client,
  workspaceId: string,
  filter: TemplateFilter,
): Promise<{ templates: ProviderTemplateRow[]; total: number }> {
  const where = `workspace_id = $1 and ($2::text is null or source = $2) and ($3::text is null or account = $3)
    and case when $4::text is null then $12 or status <> 'DELETED' else status = $4 end and ($5::text is null or language = $5)
    and ($6::text is null or strpos(lower(name), lower($6)) > 0) and ($7::uuid is null or id = $7)
    and ($8::text[] is null or account = any($8))
    and ($9::text is null or (name, language, id) ${filter.backwards ? '<' : '>'} ($9, $10::text, $11::uuid))`;
  const values = [
    workspaceId,
    filter.source ?? null,
    filter.account ?? null,
    filter.status ?? null,
    filter.language ?? null,
    filter.search ?? null,
    filter.id ?? null,
    filter.accounts ?? null,
    filter.after?.name ?? null,
    filter.after?.language ?? null,
    filter.after?.id ?? null,
    filter.withDeleted ?? false,
  ];
  const order = filter.backwards ? 'desc' : 'asc';
  const count = await client.query<{ n: number }>(`select count(*)::integer as n from provider_templates where ${where}`, values);
  const rows = await client.query<ProviderTemplateRow>(
    `select ${COLUMNS} from provider_templates where ${where}
     order by name ${order}, language ${order}, id ${order} limit $13 offset $14`,
    [...values, filter.limit, filter.offset],
  );
  return { templates: rows.rows, total: count.rows[0]!.n };
}
