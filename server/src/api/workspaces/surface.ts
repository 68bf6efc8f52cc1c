/**
 * The workspace surface: document 003 and everything that no document covers, in the same style. The pages use nothing
 * else.
 */

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify';
import type { Engine } from '../../engine/engine.ts';
import { notFound } from '../../model/errors.ts';
import type { Authenticator } from '../auth.ts';
import { onFirstUse } from '../compilers.ts';
import { addIdempotency, IDEMPOTENCY_STATUS, type IdempotencyProblem } from '../idempotency.ts';
import { acceptJson } from '../json-body.ts';
import { limitRequests } from '../request-limit.ts';
import { repeatable } from '../validation.ts';
import { batchRoutes } from './batches.ts';
import { catalogRoutes } from './catalog.ts';
import { channelRoutes } from './channels.ts';
import { connectorRoutes } from './connectors.ts';
import { consentRoutes } from './consent.ts';
import { contactRoutes } from './contacts.ts';
import { conversationRoutes } from './conversations.ts';
import { emailDomainRoutes } from './email-domains.ts';
import { answerError } from './errors.ts';
import { eventRoutes } from './events.ts';
import { guard } from './guard.ts';
import { identifierRoutes } from './identifiers.ts';
import { integrationRoutes } from './integrations.ts';
import { keyRoutes } from './keys.ts';
import { mediaRoutes, registerUploads } from './media.ts';
import { messageRoutes } from './messages.ts';
import { openingRoutes } from './openings.ts';
import { phoneNumberRoutes } from './phone-numbers.ts';
import { rawEventRoutes } from './raw-events.ts';
import { recipientRoutes } from './recipients.ts';
import { sandboxRoutes } from './sandbox.ts';
import { savedReplyRoutes } from './saved-replies.ts';
import { serviceWindowRoutes } from './service-window.ts';
import { templateRoutes } from './templates.ts';
import { workspaceSpeaker } from './webhook-events.ts';
import { webhookRoutes } from './webhooks.ts';

/** A Fastify scope whose handlers are typed by their schemas. */
export type Routes = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What every route works with. */
export interface SurfaceParts {
  engine: Engine;
  auth: Authenticator;
}

const IDEMPOTENCY_CODES: Record<IdempotencyProblem, string> = {
  'bad-key': 'badRequest',
  'other-payload': 'idempotencyMismatch',
  'in-flight': 'conflict',
};

const ROUTES: ((app: Routes, parts: SurfaceParts) => void)[] = [
  catalogRoutes,
  channelRoutes,
  connectorRoutes,
  serviceWindowRoutes,
  messageRoutes,
  batchRoutes,
  contactRoutes,
  identifierRoutes,
  conversationRoutes,
  openingRoutes,
  eventRoutes,
  mediaRoutes,
  keyRoutes,
  rawEventRoutes,
  sandboxRoutes,
  templateRoutes,
  savedReplyRoutes,
  recipientRoutes,
  consentRoutes,
  emailDomainRoutes,
  integrationRoutes,
  phoneNumberRoutes,
  webhookRoutes,
];

export function registerWorkspaces(app: FastifyInstance, engine: Engine, auth: Authenticator): void {
  registerUploads(app, engine);
  engine.webhooks.speak('workspaces', workspaceSpeaker(engine));
  app.register(async (scope) => addRoutes(scope, ROUTES, { engine, auth }), { prefix: '/workspaces/:workspaceId' });
  // The other path that the maker's pages give (decisions.md B26); a workspace is its own organization here.
  app.register(
    async (scope) => {
      scope.addHook('onRoute', (route) => {
        const { operationId: _operationId, ...schema } = (route.schema ?? {}) as Record<string, unknown>;
        route.schema = { ...schema, hide: true };
      });
      scope.addHook('onRequest', async (request) => {
        const { organizationId, workspaceId } = request.params as { organizationId: string; workspaceId: string };
        if (organizationId.toLowerCase() !== workspaceId.toLowerCase()) throw notFound('organization');
      });
      await addRoutes(scope, [webhookRoutes], { engine, auth });
    },
    { prefix: '/organizations/:organizationId/workspaces/:workspaceId' },
  );
}

async function addRoutes(scope: FastifyInstance, routes: typeof ROUTES, parts: SurfaceParts): Promise<void> {
  const { engine, auth } = parts;
  scope.setValidatorCompiler(onFirstUse(repeatable));
  scope.setErrorHandler(answerError);
  scope.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: 'notFound', message: 'there is no such address' }));
  acceptJson(scope);
  guard(scope, auth);
  await limitRequests(scope);
  addIdempotency(scope, engine, {
    refusal: (problem, message) => ({ status: IDEMPOTENCY_STATUS[problem], body: { code: IDEMPOTENCY_CODES[problem], message } }),
  });
  // `platform[]=sms` is how some HTTP clients write a parameter that repeats.
  scope.addHook('preValidation', async (request) => {
    const query = request.query as Record<string, unknown>;
    for (const [name, value] of Object.entries(query)) if (name.endsWith('[]')) query[name.slice(0, -2)] ??= value;
  });
  const typed = scope.withTypeProvider<TypeBoxTypeProvider>();
  for (const add of routes) add(typed, parts);
}
