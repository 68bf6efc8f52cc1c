/** Keys: made with a name and scopes, shown once, listed, revoked. */

import { notFound, PatchbayError } from '../../model/errors.ts';
import { allows, isScope } from '../../model/scopes.ts';
import { getKey, insertKey, listKeys, newKeyText, type ApiKey as Row, revokeKey } from '../../store/keys.ts';
import { maySee } from '../access.ts';
import type { Principal } from '../auth.ts';
import { idOf, idToken, page } from './paging.ts';
import { ids, iso, listAnswer, listQuery, NoContent } from './schemas/common.ts';
import { ApiKey, CreateKey, NewApiKey } from './schemas/key.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Keys'];

export function keyRoutes(app: Routes, { engine, auth }: SurfaceParts): void {
  app.get(
    '/api-keys',
    {
      config: { scope: 'keys:read' },
      schema: {
        tags,
        operationId: 'listKeys',
        summary: 'The keys that work',
        params: ids(),
        querystring: listQuery({}),
        response: { 200: listAnswer(ApiKey) },
      },
    },
    async (request) => {
      const { limit = 10, reverse = false } = request.query;
      const after = idOf(request.query.pageToken);
      const all = (await listKeys(engine.database, request.principal.workspaceId)).filter((key) => maySee(request.principal, key));
      if (reverse) all.reverse();
      const rest = after ? all.filter((key) => (reverse ? key.id < after : key.id > after)) : all;
      const { rows, ...next } = page(rest, limit, (key) => idToken(key.id));
      return { results: rows.map(show), ...next };
    },
  );
  app.post(
    '/api-keys',
    {
      config: { scope: 'keys:write' },
      schema: {
        tags,
        operationId: 'createKey',
        summary: 'Make a key; its text is answered this once and stored only as a hash',
        params: ids(),
        body: CreateKey,
        response: { 201: NewApiKey },
      },
    },
    async (request, reply) => {
      const { name, scopes, sandbox = request.principal.sandbox } = request.body;
      mayGrant(request.principal, scopes, sandbox);
      const text = newKeyText(sandbox);
      const key = await insertKey(engine.database, {
        workspaceId: request.principal.workspaceId,
        name,
        text,
        scopes: [...new Set(scopes)],
      });
      return reply.code(201).send({ ...show(key), key: text });
    },
  );
  app.delete(
    '/api-keys/:keyId',
    {
      config: { scope: 'keys:write' },
      schema: { tags, operationId: 'revokeKey', summary: 'Revoke a key', params: ids('keyId'), response: { 204: NoContent } },
    },
    async (request, reply) => {
      const { workspaceId } = request.principal;
      const key = await getKey(engine.database, workspaceId, request.params.keyId);
      if (!key || !maySee(request.principal, key)) throw notFound('key');
      await revokeKey(engine.database, workspaceId, key.id);
      auth.forget();
      return reply.code(204).send(null);
    },
  );
}

/** Nobody makes a key that may more than their own. */
function mayGrant(principal: Principal, scopes: string[], sandbox: boolean): void {
  const unknown = scopes.filter((scope) => !isScope(scope));
  if (unknown.length > 0) {
    throw new PatchbayError('invalid', `there is no scope ${unknown[0]}`, {
      problems: unknown.map((scope) => ({ field: 'scopes', message: `there is no scope ${scope}` })),
    });
  }
  const beyond = scopes.find((scope) => !allows(principal.scopes, scope));
  if (beyond) throw new PatchbayError('forbidden', `API key lacks required scope: ${beyond}`);
  if (principal.sandbox && !sandbox) throw new PatchbayError('forbidden', 'a test key makes test keys only');
}

function show({ id, name, prefix, scopes, sandbox, createdAt, lastUsedAt }: Row): ApiKey {
  return { id, name, prefix, scopes, sandbox, createdAt: iso(createdAt), lastUsedAt: iso(lastUsedAt) };
}
