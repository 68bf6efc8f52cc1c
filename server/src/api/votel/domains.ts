/** `/api/email-domains`: the domains that mailboxes belong to, the DNS records they need, and whether these are there. */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { addDomain, removeDomain, standingOf, verifyDomain } from '../../engine/mail-domains.ts';
import { type EmailDomain, getEmailDomain, listEmailDomains } from '../../store/email-domains.ts';
import { visibleTo } from '../access.ts';
import type { Principal } from '../auth.ts';
import { timeOf } from '../times.ts';
import type { TypedApp } from '../typed.ts';
import { found, Id, Page, pageOf, rangeOf, Search } from './shapes.ts';

export function registerDomains(app: TypedApp, engine: Engine): void {
  const { database } = engine;

  app.post(
    '/email-domains',
    {
      schema: {
        tags: ['Votel'],
        summary: 'Add a mail domain',
        body: Type.Object({ domain: Type.String({ minLength: 1, maxLength: 253 }), verified: Type.Optional(Type.Boolean()) }),
      },
    },
    async (request, reply) => {
      const { domain, verified } = request.body;
      const { workspaceId, sandbox } = request.principal;
      const stored = await addDomain(engine, workspaceId, { domain, trusted: verified ?? false, sandbox });
      return reply.code(201).send(shown(stored));
    },
  );

  app.get(
    '/email-domains',
    { schema: { tags: ['Votel'], summary: 'List mail domains', querystring: Type.Object({ ...Page, search: Search }) } },
    async (request) => {
      const { query, principal } = request;
      const { rows, total } = await listEmailDomains(database, principal.workspaceId, {
        ...rangeOf(query),
        ...visibleTo(principal),
        ...(query.search ? { search: query.search } : {}),
      });
      return { email_domains: rows.map(shown), ...pageOf(total, query) };
    },
  );

  app.get('/email-domains/:id', { schema: { tags: ['Votel'], summary: 'Show a mail domain', params: Id } }, async (request) =>
    shown(await find(request.principal, request.params.id)),
  );

  app.post(
    '/email-domains/:id/verify',
    { schema: { tags: ['Votel'], summary: "Look at a mail domain's DNS records", params: Id } },
    async (request) => shown(await verifyDomain(engine, await find(request.principal, request.params.id))),
  );

  app.delete('/email-domains/:id', { schema: { tags: ['Votel'], summary: 'Delete a mail domain', params: Id } }, async (request, reply) => {
    const row = await find(request.principal, request.params.id);
    await removeDomain(engine, row);
    return reply.code(204).send();
  });

  function find(principal: Principal, id: string): Promise<EmailDomain> {
    return found('Email domain', id, principal, (uuid) => getEmailDomain(database, principal.workspaceId, uuid));
  }

  function shown(row: EmailDomain) {
    const { status, records } = standingOf(engine, row);
    return {
      id: row.id,
      tenant_id: row.workspaceId,
      domain: row.domain,
      status,
      verified: row.verifiedAt !== null,
      dns_records: records,
      checked_at: row.checkedAt ? timeOf(row.checkedAt) : null,
      verified_at: row.verifiedAt ? timeOf(row.verifiedAt) : null,
      created_at: timeOf(row.createdAt),
      updated_at: timeOf(row.updatedAt),
    };
  }
}
