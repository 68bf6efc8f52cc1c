/** `tags.*`: airy.md 1.7. */
import Type from 'typebox';
import { notFound, PatchbayError } from '../../model/errors.ts';
import { appendEvents } from '../../store/ingest-sql.ts';
import { changeTag, deleteTag, insertTag, listTags, type Tag as Row } from '../../store/tags.ts';
import { type Airy, Id, Name } from './routes.ts';
import { listAnswer, Nothing, TagAnswer } from './schemas.ts';

const COLORS = ['tag-red', 'tag-blue', 'tag-green', 'tag-purple'];

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
    {
      needs: 'conversations:write',
      answer: TagAnswer,
      status: 201,
      summary: 'Make a tag',
      body: Type.Object({ name: Name, color: Color }),
    },
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

  airy.post('tags.list', { needs: 'conversations:read', answer: listAnswer(TagAnswer), summary: 'Every tag' }, async ({ workspaceId }) => ({
    data: await listTags(database, workspaceId),
  }));

  airy.post(
    'tags.update',
    {
      answer: Nothing,
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

  airy.post(
    'tags.delete',
    { answer: Nothing, needs: 'conversations:write', summary: 'Delete a tag', body: Type.Object({ id: Id }) },
    async (call) => {
      const { body, workspaceId, reply } = call;
      await database.transaction(async (client) => {
        if (!(await deleteTag(client, workspaceId, body.id))) throw notFound('tag');
        await appendEvents(client, [{ workspaceId, type: 'tag.updated', data: { id: body.id.toLowerCase(), deleted: true } }]);
      });
      return reply.code(204).send();
    },
  );
}

function eventOf({ id, name, color }: Row): Record<string, unknown> {
  return { id, name, color };
}
