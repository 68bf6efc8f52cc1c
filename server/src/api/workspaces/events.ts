/** The workspace's log: read page by page, or followed. */
import type { Readable } from 'node:stream';
import Type from 'typebox';
import { invalid } from '../../model/errors.ts';
import { eventsAfter, newestSeq, sandboxEventsAfter } from '../../store/events.ts';
import { framesFor, showEvent } from './event-frames.ts';
import { EventStream } from './event-stream.ts';
import { ids } from './schemas/common.ts';
import { Event } from './schemas/event.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Events'];
const HEARTBEAT_MS = 15_000;
const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'The last event that was seen.' });

export function eventRoutes(app: Routes, { engine, auth }: SurfaceParts): void {
  app.get(
    '/events',
    {
      config: { scope: 'events:read' },
      schema: {
        tags,
        operationId: 'listEvents',
        summary: 'What happened after an event, in the order in which it was committed',
        params: ids(),
        querystring: Type.Object({
          after: Type.Optional(Seq),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 10 })),
        }),
        response: {
          200: Type.Object({
            results: Type.Array(Event),
            newest: Type.Integer({ description: 'The number of the newest event there is.' }),
          }),
        },
      },
    },
    async (request) => {
      const { workspaceId, sandbox } = request.principal;
      const { after = 0, limit = 10 } = request.query;
      const read = sandbox ? sandboxEventsAfter : eventsAfter;
      const newest = await newestSeq(engine.database, workspaceId);
      const events = await read(engine.database, workspaceId, after, limit);
      return { results: events.map(showEvent), newest };
    },
  );

  const streams = new Set<EventStream>();
  app.addHook('preClose', async () => {
    for (const stream of streams) stream.finish();
  });
  app.get(
    '/events/stream',
    {
      config: { scope: 'events:read' },
      schema: {
        tags,
        operationId: 'streamEvents',
        summary: 'What happens, as it happens (server-sent events)',
        description:
          'Each event has its number as `id`, its type as `event`, and as `data` the event with the message, conversation or channel that it ' +
          'is about, as far as the key may read those. A reader that comes again with `Last-Event-ID` misses nothing.',
        params: ids(),
        querystring: Type.Object({ after: Type.Optional(Seq) }),
        produces: ['text/event-stream'],
        response: { 200: Type.Unsafe<Readable>({ type: 'string' }) },
      },
    },
    async (request, reply) => {
      const { principal } = request;
      const seen = lastSeen(request.headers['last-event-id']) ?? request.query.after;
      const newest = await newestSeq(engine.database, principal.workspaceId);
      const after = Math.min(seen ?? newest, newest);
      const stream = new EventStream();
      streams.add(stream);
      stream.add([`retry: 1000\nid: ${after}\nevent: ready\ndata: {"seq":${after}}\n\n`]);
      let work = Promise.resolve();
      const { end } = await engine.feed.follow(
        principal.workspaceId,
        (events) => {
          // The feed hands the same events to everybody and waits for nobody: each reader keeps its own order.
          work = work
            .then(async () => stream.add(await framesFor(engine, principal, events)))
            .catch((error) => {
              request.log.warn({ err: error }, 'an event stream could not be filled; its reader comes again');
              stream.finish();
            });
        },
        { after },
      );
      const heartbeat = setInterval(() => {
        stream.add([': still here\n\n']);
        auth.identify(request).then(
          (still) => still ?? stream.finish(),
          () => undefined,
        );
      }, HEARTBEAT_MS);
      stream.once('close', () => {
        clearInterval(heartbeat);
        end();
        streams.delete(stream);
      });
      request.raw.once('close', () => stream.destroy());
      return (
        reply
          .header('content-type', 'text/event-stream; charset=utf-8')
          .header('cache-control', 'no-cache, no-transform')
          // Its end is the connection's: a stopping server need not wait for one that nobody will use again.
          .header('connection', 'close')
          .header('x-accel-buffering', 'no')
          .send(stream)
      );
    },
  );
}

function lastSeen(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === '') return undefined;
  const seq = Number(header);
  if (!Number.isSafeInteger(seq) || seq < 0) throw invalid('Last-Event-ID', 'is no number of an event');
  return seq;
}
