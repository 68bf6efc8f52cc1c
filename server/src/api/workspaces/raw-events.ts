/** What providers said, as they said it: to see why something did not arrive, and to apply it again after a fix. */
import Type from 'typebox';
import { notFound, PatchbayError } from '../../model/errors.ts';
import { getRawEvent, listRawEvents, type RawEventView } from '../../store/raw-events.ts';
import type { Principal } from '../auth.ts';
import { idOf, idToken, page } from './paging.ts';
import { ids, iso, listAnswer, listOf, listQuery, oneOf } from './schemas/common.ts';
import { RAW_STATES, RawEvent, RawEventWithBody } from './schemas/raw-event.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Raw events'];

export function rawEventRoutes(app: Routes, { engine }: SurfaceParts): void {
  app.get(
    '/raw-events',
    {
      config: { scope: 'channels:read' },
      schema: {
        tags,
        operationId: 'listRawEvents',
        summary: 'What providers sent, newest first; by default what did not arrive',
        params: ids(),
        querystring: listQuery({ state: listOf(oneOf(RAW_STATES)) }),
        response: { 200: listAnswer(RawEvent) },
      },
    },
    async (request) => {
      refuseTestKeys(request.principal);
      const { limit = 10, state = ['waiting', 'unrouted', 'failed'], reverse = false } = request.query;
      const after = idOf(request.query.pageToken);
      const events = await listRawEvents(engine.database, request.principal.workspaceId, {
        states: state,
        ...(after ? { after } : {}),
        oldestFirst: reverse,
        limit: limit + 1,
      });
      const { rows, ...next } = page(events, limit, (row) => idToken(row.id));
      return { results: rows.map(show), ...next };
    },
  );
  app.get(
    '/raw-events/:rawEventId',
    {
      config: { scope: 'channels:read' },
      schema: {
        tags,
        operationId: 'getRawEvent',
        summary: 'One of them, with its body',
        params: ids('rawEventId'),
        response: { 200: RawEventWithBody },
      },
    },
    async (request) => {
      refuseTestKeys(request.principal);
      const row = await getRawEvent(engine.database, request.principal.workspaceId, request.params.rawEventId);
      if (!row) throw notFound('raw event');
      return { ...show(row), body: row.body.toString('utf8') };
    },
  );
  app.post(
    '/raw-events/:rawEventId/replay',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'replayRawEvent',
        summary: 'Apply it again; what was applied already changes nothing',
        params: ids('rawEventId'),
        response: { 200: Type.Object({ state: oneOf(RAW_STATES) }) },
      },
    },
    async (request) => {
      refuseTestKeys(request.principal);
      const state = await engine.ingest.replay(request.principal.workspaceId, request.params.rawEventId);
      if (!state) throw notFound('raw event');
      return { state: state as (typeof RAW_STATES)[number] };
    },
  );
}

function refuseTestKeys(principal: Principal): void {
  if (principal.sandbox) throw new PatchbayError('forbidden', 'raw events are not for test keys');
}

function show(row: RawEventView) {
  const { id, source, sourceChannelId, contentType, state, error, attempts, receivedAt, appliedAt } = row;
  return { id, source, sourceChannelId, contentType, state, error, attempts, receivedAt: iso(receivedAt), appliedAt: iso(appliedAt) };
}
