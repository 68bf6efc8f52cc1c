/** Saved replies (000, "Saved Replies"; decisions.md B9). */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { notFound } from '../../model/errors.ts';
import { renderVariables, variablesIn } from '../../model/variables.ts';
import {
  changeSavedReply,
  deleteSavedReply,
  getSavedReply,
  insertSavedReply,
  listSavedReplies,
  type SavedReply,
} from '../../store/saved-replies.ts';
import { timeOf } from '../times.ts';
import type { TypedApp } from '../typed.ts';
import { idOf, uuidFrom } from './ids.ts';
import { Id, Page, pageOf } from './shapes.ts';

const Title = Type.String({ minLength: 1, maxLength: 300, pattern: '\\S' });
const Body = Type.String({ minLength: 1, maxLength: 50_000, pattern: '\\S' });
const Category = Type.Union([Type.String({ maxLength: 200 }), Type.Null()]);

export function registerSavedReplies(app: TypedApp, engine: Engine): void {
  const { database } = engine;

  app.get(
    '/saved-replies',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'List saved replies',
        querystring: Type.Object({ ...Page, search: Type.Optional(Type.String()), category: Type.Optional(Type.String()) }),
      },
    },
    async (request) => {
      const { replies, total } = await listSavedReplies(database, request.principal.workspaceId, request.query);
      return pageOf(replies.map(shown), total, request.query);
    },
  );

  app.post(
    '/saved-replies',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'Add a saved reply',
        body: Type.Object({ title: Title, category: Type.Optional(Category), body: Body }),
      },
    },
    async (request, reply) => {
      const { title, category, body } = request.body;
      const stored = await insertSavedReply(database, request.principal.workspaceId, { title, category: category ?? null, body });
      return reply.code(201).send(shown(stored));
    },
  );

  app.get('/saved-replies/:id', { schema: { tags: ['Aurion'], summary: 'Show a saved reply', params: Id } }, async (request) =>
    shown(await find(request.principal.workspaceId, request.params.id)),
  );

  app.patch(
    '/saved-replies/:id',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'Change a saved reply',
        params: Id,
        body: Type.Object({ title: Type.Optional(Title), category: Type.Optional(Category), body: Type.Optional(Body) }),
      },
    },
    async (request) => {
      const id = uuidFrom('sr', request.params.id, 'saved reply');
      const changed = await changeSavedReply(database, request.principal.workspaceId, id, request.body);
      if (!changed) throw notFound('saved reply');
      return shown(changed);
    },
  );

  app.delete(
    '/saved-replies/:id',
    { schema: { tags: ['Aurion'], summary: 'Delete a saved reply', params: Id } },
    async (request, reply) => {
      const id = uuidFrom('sr', request.params.id, 'saved reply');
      if (!(await deleteSavedReply(database, request.principal.workspaceId, id))) throw notFound('saved reply');
      return reply.code(204).send();
    },
  );

  app.post(
    '/saved-replies/:id/render',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'Fill in a saved reply',
        params: Id,
        body: Type.Object({ variables: Type.Optional(Type.Record(Type.String(), Type.String())) }),
      },
    },
    async (request) => {
      const stored = await find(request.principal.workspaceId, request.params.id);
      const { text, unresolved } = renderVariables(stored.body, request.body.variables ?? {});
      return { id: idOf('sr', stored.id), body: text, unresolved };
    },
  );

  async function find(workspaceId: string, id: string): Promise<SavedReply> {
    const stored = await getSavedReply(database, workspaceId, uuidFrom('sr', id, 'saved reply'));
    if (!stored) throw notFound('saved reply');
    return stored;
  }
}

function shown(reply: SavedReply) {
  return {
    id: idOf('sr', reply.id),
    title: reply.title,
    category: reply.category,
    body: reply.body,
    variables: variablesIn(reply.body),
    created_at: timeOf(reply.createdAt),
    updated_at: timeOf(reply.updatedAt),
  };
}
