import { uuidv7 } from '../model/ids.ts';
import type { Client } from './database.ts';
import { toJson } from './json.ts';

/** A message that people write once and insert often. */
export interface MessageTemplate {
  id: string;
  name: string;
  source: string;
  /** In the source's own shape. */
  content: unknown;
}

export async function insertMessageTemplate(
  client: Client,
  workspaceId: string,
  template: Omit<MessageTemplate, 'id'>,
): Promise<MessageTemplate> {
  const result = await client.query<MessageTemplate>(
    `insert into message_templates (workspace_id, id, name, source, content) values ($1, $2, $3, $4, $5) returning id, name, source, content`,
    [workspaceId, uuidv7(), template.name, template.source, toJson(template.content)],
  );
  return result.rows[0]!;
}

export async function getMessageTemplate(client: Client, workspaceId: string, id: string): Promise<MessageTemplate | undefined> {
  const result = await client.query<MessageTemplate>(
    'select id, name, source, content from message_templates where workspace_id = $1 and id = $2',
    [workspaceId, id],
  );
  return result.rows[0];
}

/** The templates of a source, oldest first; `name`: a part of theirs, as it is written. */
export async function listMessageTemplates(
  client: Client,
  workspaceId: string,
  filter: { source: string; name?: string },
): Promise<MessageTemplate[]> {
  const result = await client.query<MessageTemplate>(
    `select id, name, source, content from message_templates
     where workspace_id = $1 and source = $2 and ($3::text is null or strpos(name, $3) > 0) order by id`,
    [workspaceId, filter.source, filter.name ?? null],
  );
  return result.rows;
}

/** Changes what is given; undefined when there is no such template. */
export async function changeMessageTemplate(
  client: Client,
  workspaceId: string,
  id: string,
  change: Partial<Omit<MessageTemplate, 'id'>>,
): Promise<MessageTemplate | undefined> {
  const result = await client.query<MessageTemplate>(
    `update message_templates set name = coalesce($3, name), source = coalesce($4, source), content = coalesce($5::jsonb, content),
       updated_at = now() where workspace_id = $1 and id = $2 returning id, name, source, content`,
    [workspaceId, id, change.name ?? null, change.source ?? null, change.content === undefined ? null : toJson(change.content)],
  );
  return result.rows[0];
}

/** False when there is no such template. */
export async function deleteMessageTemplate(client: Client, workspaceId: string, id: string): Promise<boolean> {
  const result = await client.query('delete from message_templates where workspace_id = $1 and id = $2', [workspaceId, id]);
  return (result.rowCount ?? 0) > 0;
}
