/** `metadata.upsert`: airy.md 1.7. */
import Type from 'typebox';
import { updateConversation } from '../../engine/conversations.ts';
import { notFound, PatchbayError } from '../../model/errors.ts';
import { isUuid } from '../../model/ids.ts';
import { allows } from '../../model/scopes.ts';
import { appendEvents } from '../../store/ingest-sql.ts';
import { getMessage, mergeMetadata } from '../../store/messages.ts';
import { type Airy, lacking } from './routes.ts';
import { Nothing } from './schemas.ts';
import { mergeUserData } from './user-data.ts';

const MAX_PATH = 50;

type Json = Record<string, unknown>;

export function addMetadata(airy: Airy): void {
  airy.post(
    'metadata.upsert',
    {
      answer: Nothing,
      needs: 'conversations:write',
      summary: 'Keep data of your own with a conversation, a message or a channel',
      body: Type.Object({
        subject: Type.Union([Type.Literal('conversation'), Type.Literal('message'), Type.Literal('channel')]),
        id: Type.String({ minLength: 1, maxLength: 200 }),
        data: Type.Record(Type.String(), Type.Unknown()),
      }),
    },
    async ({ body, workspaceId, principal, reply }) => {
      if (body.subject === 'channel' && !allows(principal.scopes, 'channels:write')) throw lacking('channels:write');
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
