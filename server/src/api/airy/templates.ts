/** `templates.*`: airy.md 1.7. */
import Type from 'typebox';
import { notFound, PatchbayError } from '../../model/errors.ts';
import {
  changeMessageTemplate,
  deleteMessageTemplate,
  getMessageTemplate,
  insertMessageTemplate,
  listMessageTemplates,
} from '../../store/message-templates.ts';
import { type Airy, Id, Name } from './routes.ts';
import { listAnswer, Nothing, TemplateAnswer } from './schemas.ts';

export function addTemplates(airy: Airy): void {
  const { database } = airy.engine;
  const One = Type.Object({ id: Id });

  airy.post(
    'templates.create',
    {
      needs: 'templates:write',
      answer: TemplateAnswer,
      status: 201,
      summary: 'Keep a message to be inserted later',
      body: Type.Object({ name: Name, source: Name, content: Type.Unknown() }),
    },
    async ({ body, workspaceId, reply }) => {
      if (body.content === undefined) throw new PatchbayError('invalid', 'content is required');
      const { name, source, content } = body;
      return reply.code(201).send(await insertMessageTemplate(database, workspaceId, { name, source, content }));
    },
  );

  airy.post(
    'templates.info',
    { needs: 'templates:read', answer: TemplateAnswer, summary: 'One template', body: One },
    async ({ body, workspaceId }) => {
      const template = await getMessageTemplate(database, workspaceId, body.id);
      if (!template) throw notFound('template');
      return template;
    },
  );

  airy.post(
    'templates.list',
    {
      needs: 'templates:read',
      answer: listAnswer(TemplateAnswer),
      summary: 'The templates of a source',
      body: Type.Object({ source: Name, name: Type.Optional(Type.String({ maxLength: 1000 })) }),
    },
    async ({ body, workspaceId }) => ({ data: await listMessageTemplates(database, workspaceId, body) }),
  );

  airy.post(
    'templates.update',
    {
      needs: 'templates:write',
      answer: TemplateAnswer,
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

  airy.post('templates.delete', { answer: Nothing, needs: 'templates:write', summary: 'Delete a template', body: One }, async (call) => {
    if (!(await deleteMessageTemplate(database, call.workspaceId, call.body.id))) throw notFound('template');
    return call.reply.code(204).send();
  });
}
