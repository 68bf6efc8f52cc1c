/** The Airy surface: documents 001 and 004, and what Airy's clients need around them. */
import type { FastifyInstance } from 'fastify';
import type { Engine } from '../../engine/engine.ts';
import type { Authenticator } from '../auth.ts';
import { addIdempotency, IDEMPOTENCY_STATUS } from '../idempotency.ts';
import { acceptJson } from '../json-body.ts';
import { addChannels } from './channels.ts';
import { addChatplugin } from './chatplugin.ts';
import { addClientConfig } from './client-config.ts';
import { addContactMessages } from './contact-messages.ts';
import { addContacts } from './contacts.ts';
import { addConversations } from './conversations.ts';
import { addMessages } from './messages.ts';
import { addMetadata } from './metadata.ts';
import { Airy, answerError, normalise } from './routes.ts';
import { addSources } from './sources.ts';
import { addTags } from './tags.ts';
import { addTemplates } from './templates.ts';
import { addUsers } from './users.ts';
import { addWebhooks } from './webhooks.ts';

export function registerAiry(app: FastifyInstance, engine: Engine, auth: Authenticator): void {
  app.register(async (scope) => {
    acceptJson(scope);
    // Providers' payloads are in the answers: schemas document them and filter nothing.
    scope.setSerializerCompiler(() => JSON.stringify);
    scope.setErrorHandler(answerError);
    scope.addHook('preValidation', async (request) => {
      if (!request.isMultipart()) normalise(request);
    });
    await scope.register(async (own) => {
      addIdempotency(own, engine, { refusal: (problem, message) => ({ status: IDEMPOTENCY_STATUS[problem], body: { message } }) });
      const airy = new Airy(own, engine, auth);
      addChannels(airy);
      addConversations(airy);
      addMessages(airy);
      addMetadata(airy);
      addTags(airy);
      addTemplates(airy);
      addUsers(airy);
      addContacts(airy);
      addContactMessages(airy);
      addClientConfig(airy);
      addWebhooks(airy);
      addSources(airy);
    });
    await scope.register(async (own) => addChatplugin(own, engine, auth));
  });
}
