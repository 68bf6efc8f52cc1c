/** Many messages in one request: each is looked at by itself, and one that is refused holds up no other. */
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { Engine } from '../../engine/engine.ts';
import { PatchbayError } from '../../model/errors.ts';
import { nthOf, uuidv7 } from '../../model/ids.ts';
import type { ChannelRow } from '../../store/channels.ts';
import { problemsOf, refusalOf } from '../refusal.ts';
import { liveChannelFor } from './access.ts';
import { bodyOf } from './errors.ts';
import { ErrorAnswer, FreeForm, ids, Uuid } from './schemas/common.ts';
import { SendBody } from './schemas/message.ts';
import { type Caller, sendOnChannel } from './sending.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const MOST = 100;
/** Of one request; a batch may have so many times that. */
const REQUEST_BYTES = 200 * 1024;

const Result = Type.Object({ id: Type.Optional(Uuid), error: Type.Optional(ErrorAnswer) }, { title: 'BatchResult' });

export function batchRoutes(app: Routes, { engine }: SurfaceParts): void {
  app.post(
    '/channels/:channelId/batch/messages',
    {
      config: { scope: 'messages:write' },
      bodyLimit: MOST * REQUEST_BYTES,
      schema: {
        tags: ['Messages'],
        operationId: 'sendMessages',
        summary: 'Send up to 100 messages; each has its own result, in their order',
        params: ids('channelId'),
        body: Type.Object({ messageRequests: Type.Array(FreeForm, { minItems: 1, maxItems: MOST }) }, { additionalProperties: false }),
        response: { 202: Type.Object({ id: Uuid, results: Type.Array(Result) }, { title: 'Batch' }) },
      },
    },
    async (request, reply) => {
      const channel = await liveChannelFor(engine, request.principal, request.params.channelId);
      const id = request.intendedId ?? uuidv7();
      const results: Static<typeof Result>[] = [];
      for (const [n, asked] of request.body.messageRequests.entries()) {
        // A batch that is carried out again makes the messages that it made before.
        const caller = { principal: request.principal, intendedId: nthOf(id, n) };
        results.push(await resultOf(engine, caller, channel, asked));
      }
      return reply.code(202).send({ id, results });
    },
  );
}

async function resultOf(engine: Engine, caller: Caller, channel: ChannelRow, asked: unknown): Promise<Static<typeof Result>> {
  try {
    const message = await sendOnChannel(engine, caller, channel, checked(asked));
    return { id: message.id };
  } catch (error) {
    const refusal = refusalOf(error);
    // What is our fault, or nobody's, concerns the whole batch: it may be sent again under its Idempotency-Key.
    if (refusal.status >= 500) throw error;
    return { error: bodyOf(refusal) };
  }
}

function checked(asked: unknown): Static<typeof SendBody> {
  if (Value.Check(SendBody, asked)) return asked;
  const problems = problemsOf([...Value.Errors(SendBody, asked)]);
  throw new PatchbayError('invalid', `${problems[0]!.field} ${problems[0]!.message}`, { problems });
}
