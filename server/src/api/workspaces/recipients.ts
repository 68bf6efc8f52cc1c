/** Who may be written to on a channel, and who can be reached there. */
import Type from 'typebox';
import { reach } from '../../engine/reach.ts';
import { notFound } from '../../model/errors.ts';
import { clearOptOut, listOptOuts } from '../../store/consent.ts';
import { appendEvents } from '../../store/ingest-sql.ts';
import { channelFor, liveChannelFor } from './access.ts';
import { page, wordsOf, wordsToken } from './paging.ts';
import { ids, iso, listAnswer, listQuery, NoContent, nullable, Timestamp, Uuid } from './schemas/common.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Channels'];
const Address = Type.String({ minLength: 1, maxLength: 500 });

const OptOut = Type.Object(
  {
    identifierKey: Type.String(),
    identifierValue: Type.String(),
    keyword: nullable(Type.String({ description: 'The word that they wrote.' })),
    optedOutAt: Timestamp,
  },
  { title: 'OptOut' },
);

export function recipientRoutes(app: Routes, { engine }: SurfaceParts): void {
  app.get(
    '/channels/:channelId/opt-outs',
    {
      config: { scope: 'channels:read' },
      schema: {
        tags,
        operationId: 'listOptOuts',
        summary: 'The addresses that asked the channel not to write',
        params: ids('channelId'),
        querystring: listQuery({}),
        response: { 200: listAnswer(OptOut) },
      },
    },
    async (request) => {
      const channel = await channelFor(engine, request.principal, request.params.channelId);
      const { limit = 10, reverse = false, pageToken } = request.query;
      const after = wordsOf(pageToken, 2, false);
      const found = await listOptOuts(engine.database, channel.workspaceId, channel.id, {
        ...(after ? { after: { value: after[0]!, kind: after[1]! } } : {}),
        backwards: reverse,
        limit: limit + 1,
      });
      const { rows, ...next } = page(found, limit, (row) => wordsToken([row.value, row.kind]));
      const results = rows.map(({ kind, value, keyword, at }) => ({
        identifierKey: kind,
        identifierValue: value,
        keyword,
        optedOutAt: iso(at),
      }));
      return { results, ...next };
    },
  );
  app.delete(
    '/channels/:channelId/opt-outs/:identifierValue',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'deleteOptOut',
        summary: 'Write to an address again, because its owner asked for it',
        params: Type.Object({ workspaceId: Uuid, channelId: Uuid, identifierValue: Address }),
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      const channel = await channelFor(engine, request.principal, request.params.channelId);
      const { workspaceId, id: channelId } = channel;
      await engine.database.transaction(async (client) => {
        const cleared = await clearOptOut(client, workspaceId, channelId, request.params.identifierValue);
        if (cleared.length === 0) throw notFound('opt-out');
        const events = cleared.map(({ kind, value }) => ({ type: 'consent.updated', data: { kind, value, wants: true } }));
        await appendEvents(
          client,
          events.map((event) => ({ ...event, workspaceId, channelId })),
        );
      });
      return reply.code(204).send(null);
    },
  );
  app.get(
    '/channels/:channelId/reach',
    {
      config: { scope: 'channels:read' },
      schema: {
        tags,
        operationId: 'getReach',
        summary: 'Whether an address can be reached on the channel, and with what',
        params: ids('channelId'),
        querystring: Type.Object({ identifierValue: Address }),
        response: {
          200: Type.Object({
            identifierKey: Type.String(),
            identifierValue: Type.String(),
            reachable: nullable(Type.Boolean({ description: 'null: the provider cannot tell before something is sent.' })),
            features: Type.Array(Type.String()),
            optedOut: Type.Boolean(),
          }),
        },
      },
    },
    async (request) => {
      const channel = await liveChannelFor(engine, request.principal, request.params.channelId);
      const { kind, value, ...answer } = await reach(engine, channel, request.query.identifierValue);
      return { identifierKey: kind, identifierValue: value, ...answer };
    },
  );
}
