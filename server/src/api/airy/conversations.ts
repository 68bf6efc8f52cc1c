/** `conversations.*`: airy.md 1.5. */
import Type from 'typebox';
import { ConversationTotals } from '../../engine/conversation-totals.ts';
import { markConversationRead, nameContact, refetchProfile, updateConversation } from '../../engine/conversations.ts';
import { notFound, PatchbayError } from '../../model/errors.ts';
import { type Condition, getConversation, listConversations } from '../../store/conversations.ts';
import type { Principal } from '../auth.ts';
import { FilterError, parseFilter } from './filter.ts';
import { filterCondition } from './filter-sql.ts';
import { pageOf, sizeOf } from './paging.ts';
import { type Airy, Id, PageSize } from './routes.ts';
import { ConversationAnswer, Nothing, pageAnswer } from './schemas.ts';

const MAX_PAGE = 10_000;
const MAX_OFFSET = 2_147_483_647;

const One = Type.Object({ conversation_id: Id });
const Tagging = Type.Object({ conversation_id: Id, tag_id: Id });

export function addConversations(airy: Airy): void {
  const { engine, show } = airy;
  const totals = new ConversationTotals(engine);

  airy.post(
    'conversations.list',
    {
      needs: 'conversations:read',
      answer: pageAnswer(ConversationAnswer),
      summary: 'Conversations, the newest first; `filters` in the Lucene query syntax',
      body: Type.Object({
        filters: Type.Optional(Type.String()),
        cursor: Type.Optional(Type.String({ maxLength: 20 })),
        page_size: PageSize,
      }),
    },
    async ({ body, workspaceId, principal }) => {
      const offset = offsetOf(body.cursor);
      const limit = sizeOf(body.page_size, MAX_PAGE);
      const where = within(principal, conditionOf(body.filters ?? ''));
      const [page, total] = await Promise.all([
        listConversations(engine.database, workspaceId, { ...(where ? { where } : {}), offset, limit: limit + 1 }),
        totals.total(workspaceId, where),
      ]);
      const shown = page.conversations.slice(0, limit);
      const next = page.conversations.length > limit ? String(offset + limit) : null;
      return { data: await show.conversations(workspaceId, shown), pagination_data: pageOf(String(offset), next, total) };
    },
  );

  airy.post(
    'conversations.info',
    { needs: 'conversations:read', answer: ConversationAnswer, summary: 'One conversation', body: One },
    async ({ body, workspaceId }) => {
      const conversation = await getConversation(engine.database, workspaceId, body.conversation_id);
      if (!conversation?.lastMessageId) throw notFound('conversation');
      return (await show.conversations(workspaceId, [conversation]))[0];
    },
  );

  airy.post(
    ['conversations.mark-read', 'conversations.markRead'],
    { answer: Nothing, needs: 'conversations:write', summary: 'Mark everything in a conversation read', body: One },
    async ({ body, workspaceId, reply }) => {
      await markConversationRead(engine, workspaceId, body.conversation_id);
      return reply.code(204).send();
    },
  );

  airy.post(
    'conversations.tag',
    { answer: Nothing, needs: 'conversations:write', summary: 'Put a tag on a conversation', body: Tagging },
    async ({ body, workspaceId, reply }) => {
      await updateConversation(engine, workspaceId, body.conversation_id, { addTag: body.tag_id.toLowerCase() });
      return reply.code(204).send();
    },
  );

  airy.post(
    'conversations.untag',
    { answer: Nothing, needs: 'conversations:write', summary: 'Take a tag off a conversation', body: Tagging },
    async ({ body, workspaceId, reply }) => {
      await updateConversation(engine, workspaceId, body.conversation_id, { removeTag: body.tag_id.toLowerCase() });
      return reply.code(204).send();
    },
  );

  airy.post(
    ['conversations.set-state', 'conversations.setState'],
    {
      answer: Nothing,
      needs: 'conversations:write',
      summary: 'Set the state of a conversation: OPEN, CLOSED, or a word of your own',
      body: Type.Object({ conversation_id: Id, state: Type.String({ minLength: 1, maxLength: 200 }) }),
    },
    async ({ body, workspaceId, reply }) => {
      await updateConversation(engine, workspaceId, body.conversation_id, { state: body.state }, { state: body.state });
      return reply.code(204).send();
    },
  );

  airy.post(
    ['conversations.remove-state', 'conversations.removeState'],
    { answer: Nothing, needs: 'conversations:write', summary: 'Remove the state of a conversation', body: One },
    async ({ body, workspaceId, reply }) => {
      await updateConversation(engine, workspaceId, body.conversation_id, { state: null }, { state: null });
      return reply.code(204).send();
    },
  );

  airy.post(
    ['conversations.update-contact', 'conversations.updateContact'],
    {
      answer: Nothing,
      needs: 'contacts:write',
      summary: 'Name the contact of a conversation',
      body: Type.Object({ conversation_id: Id, display_name: Type.String({ minLength: 1, maxLength: 1000 }) }),
    },
    async ({ body, workspaceId, reply }) => {
      await nameContact(engine, workspaceId, body.conversation_id, body.display_name);
      return reply.code(204).send();
    },
  );

  airy.post(
    'conversations.refetch',
    { answer: Nothing, needs: 'contacts:write', status: 202, summary: "Fetch the contact's profile from the source again", body: One },
    async ({ body, workspaceId, reply }) => {
      await refetchProfile(engine, workspaceId, body.conversation_id);
      return reply.code(202).send();
    },
  );
}

function offsetOf(cursor: string | undefined): number {
  if (cursor === undefined || cursor === '') return 0;
  if (!/^\d{1,10}$/.test(cursor) || Number(cursor) > MAX_OFFSET) throw new PatchbayError('invalid', 'the cursor is not from this list');
  return Number(cursor);
}

/** Test keys see the sandbox's conversations only. */
function within({ sandbox }: Principal, condition: Condition | undefined): Condition | undefined {
  if (!sandbox) return condition;
  return condition ? { ...condition, sql: `h.sandbox and (${condition.sql})` } : { sql: 'h.sandbox', values: [] };
}

function conditionOf(filters: string): Condition | undefined {
  try {
    const filter = parseFilter(filters);
    return filter.type === 'all' ? undefined : filterCondition(filter);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new PatchbayError('invalid', `Failed to parse Lucene query: ${error.message}`);
  }
}
