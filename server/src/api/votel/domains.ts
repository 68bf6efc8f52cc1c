/** `/api/email-domains`: the domains that mailboxes belong to, the DNS records they need, and whether these are there. */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { addDomain, mailHost, verifyDomain } from '../../engine/provider-accounts.ts';
import { notFound, PatchbayError } from '../../model/errors.ts';
import { recordsFor } from '../../model/mail-domain.ts';
import { deleteEmailDomain, type EmailDomain, getEmailDomain, listEmailDomains } from '../../store/email-domains.ts';
import { found, Id, Page, pageOf, rangeOf, timeOf, type VotelApp } from './shapes.ts';

export function registerDomains(app: VotelApp, engine: Engine): void {
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
      const stored = await addDomain(engine, request.principal.workspaceId, { domain, trusted: verified ?? false });
      return reply.code(201).send(shown(stored));
    },
  );

  app.get(
    '/email-domains',
    { schema: { tags: ['Votel'], summary: 'List mail domains', querystring: Type.Object(Page) } },
    async (request) => {
      const { query, principal } = request;
      const { rows, total } = await listEmailDomains(database, principal.workspaceId, rangeOf(query));
      return { email_domains: rows.map(shown), ...pageOf(total, query) };
    },
  );

  app.get('/email-domains/:id', { schema: { tags: ['Votel'], summary: 'Show a mail domain', params: Id } }, async (request) =>
    shown(await find(request.principal.workspaceId, request.params.id)),
  );

  app.post(
    '/email-domains/:id/verify',
    { schema: { tags: ['Votel'], summary: "Look at a mail domain's DNS records", params: Id } },
    async (request) => shown(await verifyDomain(engine, await find(request.principal.workspaceId, request.params.id))),
  );

  app.delete('/email-domains/:id', { schema: { tags: ['Votel'], summary: 'Delete a mail domain', params: Id } }, async (request, reply) => {
    const row = await find(request.principal.workspaceId, request.params.id);
    const outcome = await deleteEmailDomain(database, row.workspaceId, row.id);
    if (outcome === 'in-use') throw new PatchbayError('conflict', 'Channels still send from this domain');
    if (!outcome) throw notFound('Email domain');
    return reply.code(204).send();
  });

  function find(workspaceId: string, id: string): Promise<EmailDomain> {
    return found('Email domain', id, (uuid) => getEmailDomain(database, workspaceId, uuid));
  }

  function shown(row: EmailDomain) {
    return {
      id: row.id,
      tenant_id: row.workspaceId,
      domain: row.domain,
      status: row.verifiedAt ? 'verified' : row.checkedAt ? 'failed' : 'pending',
      verified: row.verifiedAt !== null,
      dns_records: recordsFor(row, mailHost(engine)).map(({ purpose, type, name, value, required }) => {
        const check = row.checks.find((known) => known.purpose === purpose);
        return {
          purpose,
          type,
          name,
          value,
          required,
          status: check?.status ?? 'unchecked',
          found: check?.found ?? [],
          ...(check?.message ? { message: check.message } : {}),
        };
      }),
      checked_at: row.checkedAt ? timeOf(row.checkedAt) : null,
      verified_at: row.verifiedAt ? timeOf(row.verifiedAt) : null,
      created_at: timeOf(row.createdAt),
      updated_at: timeOf(row.updatedAt),
    };
  }
}
