/** The Votel surface (002_5d10a91ec407bcfa.txt): `/api/channels` and the objects that channels refer to. */

import type { FastifyInstance } from 'fastify';
import type { Engine } from '../../engine/engine.ts';
import { PatchbayError } from '../../model/errors.ts';
import { allows } from '../../model/scopes.ts';
import type { Authenticator } from '../auth.ts';
import { onFirstUse } from '../compilers.ts';
import { addIdempotency, IDEMPOTENCY_STATUS } from '../idempotency.ts';
import { acceptJson } from '../json-body.ts';
import { limitRequests } from '../request-limit.ts';
import { typed } from '../typed.ts';
import { strictly } from '../validation.ts';
import { registerChannels } from './channels.ts';
import { registerDomains } from './domains.ts';
import { answerError } from './errors.ts';
import { registerIntegrations } from './integrations.ts';
import { registerNumbers } from './numbers.ts';

export function registerVotel(app: FastifyInstance, engine: Engine, auth: Authenticator): void {
  app.register(
    async (scope) => {
      acceptJson(scope);
      scope.setValidatorCompiler(onFirstUse(strictly));
      scope.setErrorHandler(answerError);
      scope.setNotFoundHandler((_request, reply) => reply.code(404).send({ detail: 'Not Found' }));
      scope.addHook('onRequest', async (request) => {
        const principal = await auth.identify(request);
        if (!principal) throw new PatchbayError('unauthorized', 'Invalid or missing API key');
        request.principal = principal;
        const needed = request.method === 'GET' || request.method === 'HEAD' ? 'channels:read' : 'channels:write';
        if (!allows(principal.scopes, needed)) throw new PatchbayError('forbidden', `API key missing required scope: ${needed}`);
      });
      await limitRequests(scope);
      // Clients of this product write `null` for what they leave out.
      scope.addHook('preValidation', async (request) => {
        const { body } = request;
        if (typeof body !== 'object' || body === null || Array.isArray(body)) return;
        request.body = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
      });
      addIdempotency(scope, engine, {
        refusal: (problem, message) => {
          const status = IDEMPOTENCY_STATUS[problem];
          const shown = { loc: ['header', 'idempotency-key'], msg: message, type: 'value_error' };
          return { status, body: { detail: status === 422 ? [shown] : message } };
        },
      });
      const routes = typed(scope);
      registerChannels(routes, engine);
      registerIntegrations(routes, engine);
      registerDomains(routes, engine);
      registerNumbers(routes, engine);
    },
    { prefix: '/api' },
  );
}
