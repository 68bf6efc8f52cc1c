/** Who may be written to on a channel, and who can be reached there. */
import Type, { type Static } from 'typebox';
import { addressOn, reach } from '../../engine/reach.ts';
import { recordConsent } from '../../engine/suppression.ts';
import { notFound } from '../../model/errors.ts';
import { type ConsentTeller, listOptOuts, optOutsOf, type OptOut as Row } from '../../store/consent.ts';
import type { Principal } from '../auth.ts';
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
    history: Type.Array(
      Type.Object({
        wants: Type.Boolean({ description: 'false: they asked not to be written to; true: they may be written to again.' }),
        keyword: nullable(Type.String()),
        by: Type.Union([Type.Literal('contact'), Type.Literal('provider'), Type.Object({ key: Type.String(), name: Type.String() })], {
          description: 'Who told: the contact, the provider when it refused a message, or a caller of this API.',
        }),
        at: Timestamp,
      }),
      { description: 'Every change of mind, newest last.' },
    ),
  },
  { title: 'OptOut' },
);

function showOptOut({ kind, value, keyword, at, history }: Row): Static<typeof OptOut> {
  return { identifierKey: kind, identifierValue: value, keyword, optedOutAt: iso(at), history };
}

function callerOf({ keyId, name }: Principal): ConsentTeller {
  return { key: keyId, name };
}

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
      const results = rows.map(showOptOut);
      return { results, ...next };
    },
  );
  app.post(
    '/channels/:channelId/opt-outs',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'createOptOut',
        summary: 'Write to an address no more, because its owner asked for it elsewhere',
        params: ids('channelId'),
        body: Type.Object({ identifierValue: Address }, { additionalProperties: false, examples: [{ identifierValue: '+491711234567' }] }),
        response: { 201: OptOut },
      },
    },
    async (request, reply) => {
      const channel = await liveChannelFor(engine, request.principal, request.params.channelId);
      const { workspaceId, id: channelId } = channel;
      const address = addressOn(engine, channel, request.body.identifierValue);
      const consent = { workspaceId, channelId, ...address, wants: false, keyword: null, by: callerOf(request.principal), at: new Date() };
      const found = await engine.database.transaction(async (client) => {
        await recordConsent(client, consent);
        return optOutsOf(client, workspaceId, channelId, address.value);
      });
      return reply.code(201).send(showOptOut(found.find(({ kind }) => kind === address.kind)!));
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
      const at = new Date();
      await engine.database.transaction(async (client) => {
        const found = await optOutsOf(client, workspaceId, channelId, request.params.identifierValue);
        if (found.length === 0) throw notFound('opt-out');
        for (const { kind, value } of found) {
          await recordConsent(client, {
            workspaceId,
            channelId,
            kind,
            value,
            wants: true,
            keyword: null,
            by: callerOf(request.principal),
            at,
          });
        }
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
