/** Saved replies: written once, filled in and sent often. */
import Type, { type Static } from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { replyVariables } from '../../engine/reply-variables.ts';
import { notFound } from '../../model/errors.ts';
import { renderVariables, variablesIn } from '../../model/variables.ts';
import {
  changeSavedReply,
  deleteSavedReply,
  getSavedReply,
  insertSavedReply,
  listSavedReplies,
  type SavedReply as Row,
} from '../../store/saved-replies.ts';
import { conversationFor } from './access.ts';
import { page, wordsOf, wordsToken } from './paging.ts';
import { ids, iso, listAnswer, listQuery, NoContent, nullable, Timestamp, Uuid } from './schemas/common.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Saved replies'];

const fields = {
  title: Type.String({ minLength: 1, maxLength: 300, pattern: '\\S' }),
  category: nullable(Type.String({ maxLength: 200 })),
  body: Type.String({ minLength: 1, maxLength: 50_000, pattern: '\\S' }),
};

const SavedReply = Type.Object(
  {
    id: Uuid,
    ...fields,
    variables: Type.Array(Type.String(), { description: 'The names in it that are filled in when it is used.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'SavedReply' },
);

const NewReply = Type.Object(
  { title: fields.title, category: Type.Optional(fields.category), body: fields.body },
  {
    additionalProperties: false,
    examples: [{ title: 'Greeting', category: 'Support', body: 'Hello {{contact_first_name}}, thank you for writing.' }],
  },
);

const Rendering = Type.Object(
  {
    conversationId: Type.Optional(Uuid),
    variables: Type.Optional(Type.Record(Type.String({ maxLength: 200 }), Type.String({ maxLength: 10_000 }))),
  },
  { additionalProperties: false },
);

const Rendered = Type.Object({
  text: Type.String(),
  unresolved: Type.Array(Type.String(), { description: 'Names that nobody knows here; they stay in the text as they were written.' }),
});

export function savedReplyRoutes(app: Routes, { engine }: SurfaceParts): void {
  app.get(
    '/saved-replies',
    {
      config: { scope: 'templates:read' },
      schema: {
        tags,
        operationId: 'listSavedReplies',
        summary: 'The saved replies, by title',
        params: ids(),
        querystring: listQuery({
          search: Type.Optional(Type.String({ maxLength: 200, description: 'Part of the title, the text or the category.' })),
          category: Type.Optional(Type.String({ maxLength: 200 })),
        }),
        response: { 200: listAnswer(SavedReply) },
      },
    },
    async (request) => {
      const { limit = 10, reverse = false, search, category, pageToken } = request.query;
      const after = wordsOf(pageToken, 2, true);
      const { replies } = await listSavedReplies(engine.database, request.principal.workspaceId, {
        ...(search ? { search } : {}),
        ...(category === undefined ? {} : { category }),
        ...(after ? { after: { title: after[0]!, id: after[1]! } } : {}),
        backwards: reverse,
        limit: limit + 1,
        offset: 0,
      });
      const { rows, ...next } = page(replies, limit, (row) => wordsToken([row.title, row.id]));
      return { results: rows.map(show), ...next };
    },
  );
  app.post(
    '/saved-replies',
    {
      config: { scope: 'templates:write' },
      schema: {
        tags,
        operationId: 'createSavedReply',
        summary: 'Save a reply',
        params: ids(),
        body: NewReply,
        response: { 201: SavedReply },
      },
    },
    async (request, reply) => {
      const { title, category, body } = request.body;
      const row = await insertSavedReply(engine.database, request.principal.workspaceId, { title, category: category ?? null, body });
      return reply.code(201).send(show(row));
    },
  );
  oneReply(app, engine);
}

function oneReply(app: Routes, engine: Engine): void {
  app.get(
    '/saved-replies/:replyId',
    {
      config: { scope: 'templates:read' },
      schema: { tags, operationId: 'getSavedReply', summary: 'One saved reply', params: ids('replyId'), response: { 200: SavedReply } },
    },
    async (request) => show(await find(engine, request.principal.workspaceId, request.params.replyId)),
  );
  app.patch(
    '/saved-replies/:replyId',
    {
      config: { scope: 'templates:write' },
      schema: {
        tags,
        operationId: 'changeSavedReply',
        summary: 'Change a saved reply',
        params: ids('replyId'),
        body: Type.Object({ ...Type.Partial(NewReply).properties }, { additionalProperties: false }),
        response: { 200: SavedReply },
      },
    },
    async (request) => {
      const row = await changeSavedReply(engine.database, request.principal.workspaceId, request.params.replyId, request.body);
      if (!row) throw notFound('saved reply');
      return show(row);
    },
  );
  app.delete(
    '/saved-replies/:replyId',
    {
      config: { scope: 'templates:write' },
      schema: {
        tags,
        operationId: 'deleteSavedReply',
        summary: 'Delete a saved reply',
        params: ids('replyId'),
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      if (!(await deleteSavedReply(engine.database, request.principal.workspaceId, request.params.replyId))) throw notFound('saved reply');
      return reply.code(204).send(null);
    },
  );
  app.post(
    '/saved-replies/:replyId/render',
    {
      config: { scope: 'templates:read' },
      schema: {
        tags,
        operationId: 'renderSavedReply',
        summary: 'The reply with what a conversation knows filled in',
        params: ids('replyId'),
        body: Rendering,
        response: { 200: Rendered },
      },
    },
    async (request) => {
      const { principal, body } = request;
      const reply = await find(engine, principal.workspaceId, request.params.replyId);
      const conversation = body.conversationId ? await conversationFor(engine, principal, body.conversationId) : undefined;
      const known = conversation
        ? await replyVariables(engine.database, conversation, { agent: principal.name, conversationId: conversation.id })
        : {};
      return renderVariables(reply.body, { ...known, ...body.variables });
    },
  );
}

async function find(engine: Engine, workspaceId: string, id: string): Promise<Row> {
  const row = await getSavedReply(engine.database, workspaceId, id);
  if (!row) throw notFound('saved reply');
  return row;
}

function show({ id, title, category, body, createdAt, updatedAt }: Row): Static<typeof SavedReply> {
  return { id, title, category, body, variables: variablesIn(body), createdAt: iso(createdAt), updatedAt: iso(updatedAt) };
}
