/** Mail domains: the DNS records that they need, and whether these are there. */
import Type, { type Static } from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { addDomain, DOMAIN_STATUSES, removeDomain, standingOf, verifyDomain } from '../../engine/mail-domains.ts';
import { notFound } from '../../model/errors.ts';
import { getEmailDomain, listEmailDomains, type EmailDomain as Row } from '../../store/email-domains.ts';
import { maySee, visibleTo } from '../access.ts';
import type { Principal } from '../auth.ts';
import { ids, iso, NoContent, nullable, oneOf, Timestamp, Uuid } from './schemas/common.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Mail domains'];
/** A workspace has a handful of them: one page holds all. */
const MOST = 1_000;

const EmailDomain = Type.Object(
  {
    id: Uuid,
    domain: Type.String(),
    status: oneOf(DOMAIN_STATUSES, { description: '`warning`: still verified, but records that it needs are missing.' }),
    records: Type.Array(
      Type.Object({
        purpose: oneOf(['dkim', 'spf', 'return_path', 'dmarc']),
        type: oneOf(['TXT', 'MX']),
        name: Type.String(),
        value: Type.String(),
        required: Type.Boolean({ description: 'Without it the domain is not verified.' }),
        status: oneOf(['unchecked', 'ok', 'missing', 'wrong', 'unreachable']),
        found: Type.Array(Type.String(), { description: 'What the DNS says now.' }),
        message: Type.Optional(Type.String({ description: 'What to do about it.' })),
      }),
    ),
    checkedAt: nullable(Timestamp),
    verifiedAt: nullable(Timestamp),
    /** Since when a domain that was verified lacks records. */
    failingSince: nullable(Timestamp),
    createdAt: Timestamp,
  },
  { title: 'EmailDomain' },
);

export function emailDomainRoutes(app: Routes, { engine }: SurfaceParts): void {
  app.get(
    '/email-domains',
    {
      config: { scope: 'channels:read' },
      schema: {
        tags,
        operationId: 'listEmailDomains',
        summary: 'The mail domains, newest first',
        params: ids(),
        response: { 200: Type.Object({ results: Type.Array(EmailDomain) }) },
      },
    },
    async (request) => {
      const { principal } = request;
      const page = { ...visibleTo(principal), limit: MOST, offset: 0 };
      const { rows } = await listEmailDomains(engine.database, principal.workspaceId, page);
      return { results: rows.map((row) => show(engine, row)) };
    },
  );
  app.post(
    '/email-domains',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'addEmailDomain',
        summary: 'Add a mail domain; answers the DNS records to set',
        params: ids(),
        body: Type.Object(
          { domain: Type.String({ minLength: 1, maxLength: 253 }) },
          { additionalProperties: false, examples: [{ domain: 'example.com' }] },
        ),
        response: { 201: EmailDomain },
      },
    },
    async (request, reply) => {
      const { workspaceId, sandbox } = request.principal;
      const added = await addDomain(engine, workspaceId, { domain: request.body.domain, trusted: false, sandbox });
      return reply.code(201).send(show(engine, added));
    },
  );
  app.get(
    '/email-domains/:domainId',
    {
      config: { scope: 'channels:read' },
      schema: { tags, operationId: 'getEmailDomain', summary: 'One mail domain', params: ids('domainId'), response: { 200: EmailDomain } },
    },
    async (request) => show(engine, await find(engine, request.principal, request.params.domainId)),
  );
  app.post(
    '/email-domains/:domainId/verify',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'verifyEmailDomain',
        summary: "Look at the domain's records in the DNS now",
        description: 'A domain that was verified stays so for three days after its records went, however often it is looked at.',
        params: ids('domainId'),
        response: { 200: EmailDomain },
      },
    },
    async (request) => {
      const row = await find(engine, request.principal, request.params.domainId);
      return show(engine, await verifyDomain(engine, row, { patient: true }));
    },
  );
  app.delete(
    '/email-domains/:domainId',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags,
        operationId: 'deleteEmailDomain',
        summary: 'Remove a mail domain',
        params: ids('domainId'),
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      await removeDomain(engine, await find(engine, request.principal, request.params.domainId));
      return reply.code(204).send(null);
    },
  );
}

async function find(engine: Engine, principal: Principal, id: string): Promise<Row> {
  const row = await getEmailDomain(engine.database, principal.workspaceId, id);
  if (!row || !maySee(principal, row)) throw notFound('mail domain');
  return row;
}

function show(engine: Engine, row: Row): Static<typeof EmailDomain> {
  const { id, domain, checkedAt, verifiedAt, failingSince, createdAt } = row;
  const times = { checkedAt: iso(checkedAt), verifiedAt: iso(verifiedAt), failingSince: iso(failingSince), createdAt: iso(createdAt) };
  return { id, domain, ...standingOf(engine, row), ...times };
}
