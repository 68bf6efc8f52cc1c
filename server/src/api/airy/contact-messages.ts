/** `contacts.recent-messages`, and what a contact's conversations are: airy.md 1.8. */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { notFound } from '../../model/errors.ts';
import { getChannels } from '../../store/channels.ts';
import { getContact } from '../../store/contacts.ts';
import { conversationsOfContacts } from '../../store/conversations.ts';
import { messagePage } from './messages.ts';
import { type Airy, Id, PageSize } from './routes.ts';
import { MessageAnswer, pageAnswer } from './schemas.ts';

export function addContactMessages(airy: Airy): void {
  const { engine } = airy;
  const { database } = engine;

  airy.post(
    'contacts.recent-messages',
    {
      needs: 'messages:read',
      answer: Type.Record(Type.String(), pageAnswer(MessageAnswer)),
      summary: "The newest messages of each of a contact's conversations",
      body: Type.Object({
        contact_id: Id,
        include_sources: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 100 })),
        page_size: PageSize,
        cursors: Type.Optional(Type.Record(Type.String(), Type.String())),
      }),
    },
    async ({ body, workspaceId, principal }) => {
      const contact = await getContact(database, workspaceId, body.contact_id);
      if (!contact) throw notFound('contact');
      const sources = await sourcesOf(engine, workspaceId, [contact.id], principal.sandbox);
      const wanted = Object.entries(sources.get(contact.id) ?? {}).filter(
        ([, source]) => !body.include_sources?.length || body.include_sources.includes(source),
      );
      const pages = await Promise.all(
        wanted.map(async ([id]) => {
          const asked = {
            ...(body.cursors?.[id] ? { cursor: body.cursors[id] } : {}),
            ...(body.page_size ? { page_size: body.page_size } : {}),
          };
          const page = await messagePage(engine, workspaceId, id, asked);
          return [id, { data: airy.show.messages(page.messages), pagination_data: page.pagination }];
        }),
      );
      return Object.fromEntries(pages);
    },
  );
}

/** Contact → its conversations → the source of each. */
export async function sourcesOf(
  engine: Engine,
  workspaceId: string,
  contactIds: string[],
  sandboxOnly = false,
): Promise<Map<string, Record<string, string>>> {
  const conversations = await conversationsOfContacts(engine.database, workspaceId, contactIds);
  const channels = await getChannels(engine.database, workspaceId, [...new Set(conversations.map((item) => item.channelId))]);
  const sourceOf = new Map(channels.filter(({ sandbox }) => sandbox || !sandboxOnly).map((channel) => [channel.id, channel.source]));
  const byContact = Map.groupBy(
    conversations.filter((item) => sourceOf.has(item.channelId)),
    (item) => item.contactId,
  );
  return new Map(
    [...byContact].map(([contactId, items]) => [
      contactId,
      Object.fromEntries(items.map((item) => [item.id, sourceOf.get(item.channelId)!])),
    ]),
  );
}
