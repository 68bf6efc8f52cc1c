import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { PatchbayError } from '../model/errors.ts';

/** Per key and process: above the fastest senders, and enough to stop a program that has gone astray. */
const REQUESTS_A_SECOND = 2_000;

/** Limits how often one key may ask in a surface's scope. To be called after the hook that sets the principal. */
export async function limitRequests(scope: FastifyInstance, max = REQUESTS_A_SECOND): Promise<void> {
  await scope.register(rateLimit, {
    max,
    timeWindow: 1000,
    keyGenerator: (request) => request.principal.keyId,
    errorResponseBuilder: () => new PatchbayError('rate-limited', `a key may make ${max} requests a second`),
  });
}
