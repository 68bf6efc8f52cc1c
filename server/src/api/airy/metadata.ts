/** `metadata.upsert`, `tags.*`, `templates.*`, `users.list`: airy.md 1.7. */
import Type from 'typebox';
import { updateConversation } from '../../engine/conversations.ts';
import { notFound, PatchbayError } from '../../model/errors.ts';
import { isUuid } from '../../model/ids.ts';
import { appendEvents } from '../../store/ingest-sql.ts';
import {
  changeMessageTemplate,
  deleteMessageTemplate,
  getMessageTemplate,
  insertMessageTemplate,
  listMessageTemplates,
} from '../../store/message-templates.ts';
import { getMessage, mergeMetadata } from '../../store/messages.ts';
import { changeTag, deleteTag, insertTag, listTags, type Tag } from '../../store/tags.ts';
import { listUsers } from '../../store/users.ts';
import { pageOf } from './paging.ts';
import { type Airy, Cursor, Id, Name, PageSize } from './routes.ts';
import { mergeUserData } from './user-data.ts';

const COLORS = ['tag-red', 'tag-blue', 'tag-green', 'tag-purple'];
const MAX_PATH = 50;

type Json = Record<string, unknown>;

export function addMetadata(airy: Airy): void {
  airy.post(
    'metadata.upsert',
    {
      needs: 'conversations:write',
      summary: 'Keep data of your own with a conversation, a message or a channel',
      body: Type.Object({
        subject: Type.Union([Type.Literal('conversation'), Type.Literal('message'), Type.Literal('channel')]),
        id: Type.String({ minLength: 1, maxLength: 200 }),
        data: Type.Record(Type.String(), Type.Unknown()),
      }),
    },
    async ({ body, workspaceId, reply }) => {
      if (Object.keys(body.data).some((name) => name.split('.').length > MAX_PATH)) {
        throw new PatchbayError('invalid', `names in data may have ${MAX_PATH} parts at most`);
      }
      // As with Airy, nobody minds a subject that does not exist; it has nowhere to keep anything.
      if (isUuid(body.id)) {
        await upsert(airy, workspaceId, body.subject, body.id, body.data).catch((error: unknown) => {
          if (!(error instanceof PatchbayError && error.code === 'not-found')) throw error;
        });
      }
      return reply.code(204).send();
    },
  );
}

async function upsert(airy: Airy, workspaceId: string, subject: string, id: string, data: Json): Promise<void> {
  const { engine } = airy;
  const merge = (metadata: Json) => ({ user_data: mergeUserData(metadata.user_data, data) });
  if (subject === 'conversation') {
    await updateConversation(engine, workspaceId, id, ({ metadata }) => ({ metadata: { ...metadata, ...merge(metadata) } }));
  } else if (subject === 'message') {
    await engine.database.transaction(async (client) => {
      await client.query('select 1 from messages where workspace_id = $1 and id = $2 for no key update', [workspaceId, id]);
      const message = await getMessage(client, workspaceId, id);
      if (!message) throw notFound('message');
      const changed = (await mergeMetadata(client, workspaceId, id, merge(message.metadata)))!;
      await appendEvents(client, [{ ...changed, type: 'message.updated', messageId: changed.id, data: { metadata: true } }]);
    });
  } else {
    const channel = await engine.channels.get(workspaceId, id);
    await engine.channels.change(workspaceId, channel.id, { metadata: merge(channel.metadata) });
  }
}

export function addTags(airy: Airy): void {
  const { engine } = airy;
  const { database } = engine;
  const Color = Type.String({ maxLength: 100 });
  const checkColor = (color: string | undefined) => {
    if (color !== undefined && !COLORS.includes(color)) {
      throw new PatchbayError('invalid', `Tag color must be one of [${COLORS.join(', ')}]`);
    }
  };

  airy.post(
    'tags.create',
    { needs: 'conversations:write', summary: 'Make a tag', body: Type.Object({ name: Name, color: Color }) },
    async ({ body, workspaceId, reply }) => {
      checkColor(body.color);
      const tag = await database.transaction(async (client) => {
        const made = await insertTag(client, workspaceId, body);
        await appendEvents(client, [{ workspaceId, type: 'tag.updated', data: eventOf(made) }]);
        return made;
      });
      return reply.code(201).send(tag);
    },
  );

  airy.post('tags.list', { needs: 'conversations:read', summary: 'Every tag' }, async ({ workspaceId }) => ({
    data: await listTags(database, workspaceId),
  }));

  airy.post(
    'tags.update',
    {
      needs: 'conversations:write',
      summary: 'Change a tag',
      body: Type.Object({ id: Id, name: Type.Optional(Name), color: Type.Optional(Color) }),
    },
    async ({ body, workspaceId, reply }) => {
      checkColor(body.color);
      await database.transaction(async (client) => {
        const tag = await changeTag(client, workspaceId, body.id, body);
        if (!tag) throw notFound('tag');
        await appendEvents(client, [{ workspaceId, type: 'tag.updated', data: eventOf(tag) }]);
      });
      return reply.code(204).send();
    },
  );

  airy.post('tags.delete', { needs: 'conversations:write', summary: 'Delete a tag', body: Type.Object({ id: Id }) }, async (call) => {
    const { body, workspaceId, reply } = call;
    await database.transaction(async (client) => {
      if (!(await deleteTag(client, workspaceId, body.id))) throw notFound('tag');
      await appendEvents(client, [{ workspaceId, type: 'tag.updated', data: { id: body.id.toLowerCase(), deleted: true } }]);
    });
    return reply.code(204).send();
  });
}

function eventOf({ id, name, color }: Tag): Json {
  return { id, name, color };
}

export function addTemplates(airy: Airy): void {
  const { database } = airy.engine;
  const One = Type.Object({ id: Id });

  airy.post(
    'templates.create',
    {
      needs: 'templates:write',
      summary: 'Keep a message to be inserted later',
      body: Type.Object({ name: Name, source: Name, content: Type.Unknown() }),
    },
    async ({ body, workspaceId, reply }) => {
      if (body.content === undefined) throw new PatchbayError('invalid', 'content is required');
      const { name, source, content } = body;
      return reply.code(201).send(await insertMessageTemplate(database, workspaceId, { name, source, content }));
    },
  );

  airy.post('templates.info', { needs: 'templates:read', summary: 'One template', body: One }, async ({ body, workspaceId }) => {
    const template = await getMessageTemplate(database, workspaceId, body.id);
    if (!template) throw notFound('template');
    return template;
  });

  airy.post(
    'templates.list',
    {
      needs: 'templates:read',
      summary: 'The templates of a source',
      body: Type.Object({ source: Name, name: Type.Optional(Type.String({ maxLength: 1000 })) }),
    },
    async ({ body, workspaceId }) => ({ data: await listMessageTemplates(database, workspaceId, body) }),
  );

  airy.post(
    'templates.update',
    {
      needs: 'templates:write',
      summary: 'Change a template',
      body: Type.Object({ id: Id, name: Type.Optional(Name), source: Type.Optional(Name), content: Type.Optional(Type.Unknown()) }),
    },
    async ({ body, workspaceId }) => {
      const { id, ...change } = body;
      const template = await changeMessageTemplate(database, workspaceId, id, change);
      if (!template) throw notFound('template');
      return template;
    },
  );

  airy.post('templates.delete', { needs: 'templates:write', summary: 'Delete a template', body: One }, async (call) => {
    if (!(await deleteMessageTemplate(database, call.workspaceId, call.body.id))) throw notFound('template');
    return call.reply.code(204).send();
  });
}

export function addUsers(airy: Airy): void {
  airy.post(
    'users.list',
    {
      needs: 'conversations:read',
      summary: 'Whoever works with the conversations',
      body: Type.Object({ cursor: Cursor, page_size: PageSize }),
    },
    async ({ body, workspaceId }) => {
      const limit = body.page_size === undefined ? 20 : body.page_size <= 0 ? 10 : Math.min(body.page_size, 1000);
      const after = body.cursor;
      const { users, total } = await listUsers(airy.engine.database, workspaceId, { ...(after ? { after } : {}), limit: limit + 1 });
      const shown = users.slice(0, limit);
      return {
        data: shown.map((user) => ({
          id: user.id,
          name: user.name,
          avatar_url: user.avatarUrl,
          first_seen_at: user.firstSeenAt.toISOString(),
          last_seen_at: user.lastSeenAt.toISOString(),
        })),
        pagination_data: pageOf(after ?? null, users.length > limit ? shown.at(-1)!.id : null, total),
      };
    },
  );
}
