/** Document 003's third route: may we write freely to this contact on this channel, and until when (B24). */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { notFound } from '../../model/errors.ts';
import type { ChannelRow } from '../../store/channels.ts';
import { identitiesOf } from '../../store/contacts.ts';
import { conversationsOfContact } from '../../store/conversations.ts';
import { channelFor, contactFor } from './access.ts';
import { ids, iso } from './schemas/common.ts';
import { ServiceWindow } from './schemas/contact.ts';
import type { Routes, SurfaceParts } from './surface.ts';
import { windowOf, windowRuleOf } from './windows.ts';

export function serviceWindowRoutes(app: Routes, { engine }: SurfaceParts): void {
  app.get(
    '/channels/:channelId/contacts/:contactId',
    {
      config: { scope: 'channels:read' },
      schema: {
        tags: ['Channels'],
        operationId: 'getServiceWindow',
        summary: 'Until when a contact may be written to freely',
        params: ids('channelId', 'contactId'),
        querystring: Type.Object({
          contactIdentifierValue: Type.Optional(
            Type.String({ maxLength: 500, description: 'Which of the addresses, when the contact has several.' }),
          ),
        }),
        response: { 200: ServiceWindow },
      },
    },
    async (request) => {
      const { workspaceId } = request.principal;
      const channel = await channelFor(engine, request.principal, request.params.channelId);
      const contact = await contactFor(engine.database, request.principal, request.params.contactId);
      const { contactIdentifierValue: wanted } = request.query;
      if (wanted !== undefined) {
        const identities = await identitiesOf(engine.database, workspaceId, [contact.id]);
        // A plus sign that nobody encoded arrives as a space.
        if (!identities.some(({ value }) => value === wanted || value === wanted.replace(/^ /, '+'))) throw notFound('contact');
      }
      return windowFor(engine, channel, contact.id);
    },
  );
}

/** Of several conversations with the contact on the channel the newest word counts. */
async function windowFor(engine: Engine, channel: ChannelRow, contactId: string) {
  const rule = windowRuleOf(engine, channel);
  const conversations = (await conversationsOfContact(engine.database, channel.workspaceId, contactId)).filter(
    (conversation) => conversation.channelId === channel.id,
  );
  const expiresAt = newest(conversations.map((conversation) => conversation.windowExpiresAt));
  const lastInboundAt = newest(conversations.map((conversation) => conversation.lastInboundAt));
  const window = windowOf(rule, expiresAt);
  if (!rule?.extended || !lastInboundAt) return window;
  const humanAgentWindowExpireAt = iso(new Date(lastInboundAt.getTime() + rule.extended.hours * 3_600_000));
  return { ...window, metadata: { humanAgentWindowExpireAt } };
}

function newest(dates: (Date | null)[]): Date | null {
  return dates.reduce<Date | null>((latest, date) => (date && (!latest || date > latest) ? date : latest), null);
}
