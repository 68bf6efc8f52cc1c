/** `/api/channels` (002; decisions.md B13–B16, B31, B35). */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { addIntegration, connectFor } from '../../engine/provider-accounts.ts';
import type { ChannelStatus } from '../../model/channel.ts';
import { type FieldProblem, invalid, PatchbayError, ProviderError } from '../../model/errors.ts';
import { toE164 } from '../../model/phone.ts';
import type { EmailDomain } from '../../store/email-domains.ts';
import { emailDomainByName, getEmailDomain } from '../../store/email-domains.ts';
import { getIntegration, type Integration, newestIntegration } from '../../store/integrations.ts';
import { getPhoneNumber } from '../../store/phone-numbers.ts';
import { getVotelChannel, keepVotelFields, listVotelChannels, type VotelChannel } from '../../store/votel-channels.ts';
import { found, Id, Metadata, Name, Page, pageOf, Ref, rangeOf, timeOf, type VotelApp } from './shapes.ts';

const ChannelType = Type.Union([Type.Literal('email'), Type.Literal('sms')]);
const Status = Type.Union([Type.Literal('available'), Type.Literal('unavailable')]);
const Address = Type.String({ maxLength: 320 });

/** The one lifecycle in this product's two words (decisions.md B4): what is only waiting for something is available. */
const AVAILABLE: ChannelStatus[] = ['setting-up', 'pending', 'active', 'warning'];
const UNAVAILABLE: ChannelStatus[] = ['failed', 'inactive'];

interface Wanted {
  name: string;
  channel_type: 'email' | 'sms';
  integration_id: string;
  send_from_email?: string;
  email_domain_id?: string;
  send_from_phone_number?: string;
  phone_number_id?: string;
  is_default?: boolean;
  metadata?: Record<string, unknown>;
}

export function registerChannels(app: VotelApp, engine: Engine): void {
  const { database } = engine;

  app.post(
    '/channels',
    {
      schema: {
        tags: ['Votel'],
        summary: 'Connect a channel',
        body: Type.Object({
          name: Name,
          channel_type: ChannelType,
          integration_id: Ref,
          send_from_email: Type.Optional(Address),
          email_domain_id: Type.Optional(Ref),
          send_from_phone_number: Type.Optional(Address),
          phone_number_id: Type.Optional(Ref),
          is_default: Type.Optional(Type.Boolean()),
          metadata: Type.Optional(Metadata),
        }),
      },
    },
    async (request, reply) => {
      const { workspaceId, sandbox } = request.principal;
      const body: Wanted = request.body;
      requireFields(body);
      const integration = await found('Integration', body.integration_id, (id) => getIntegration(database, workspaceId, id));
      if (integration.type !== body.channel_type) throw invalid('integration_id', `is an integration for ${integration.type}`);
      const created =
        body.channel_type === 'email' ? await createEmail(integration, body, sandbox) : await createSms(integration, body, sandbox);
      return reply.code(201).send(shown(created));
    },
  );

  app.post(
    '/channels/auto-create-for-email',
    { schema: { tags: ['Votel'], summary: 'The channel of an address, made when there is none', body: Type.Object({ email: Address }) } },
    async (request, reply) => {
      const { workspaceId, sandbox } = request.principal;
      const email = mailAddress('email', request.body.email);
      const { rows } = await listVotelChannels(database, workspaceId, { type: 'email', identifier: email }, { limit: 1, offset: 0 });
      if (rows[0]) return reply.code(200).send(shown(rows[0]));
      const domain = await emailDomainByName(database, workspaceId, domainOf(email));
      if (!domain?.verifiedAt) throw unverified('No verified domain found for this email');
      const integration =
        (await newestIntegration(database, workspaceId, 'email')) ??
        (await addIntegration(engine, {
          workspaceId,
          name: 'Built-in mail',
          type: 'email',
          provider: 'aurion',
          config: {},
          metadata: {},
          sandbox,
        }));
      const created = await connectEmail(integration, domain, { name: email, email, sandbox });
      return reply.code(201).send(shown(await keep(created, { integrationId: integration.id, emailDomainId: domain.id })));
    },
  );

  app.get(
    '/channels',
    {
      schema: {
        tags: ['Votel'],
        summary: 'List channels',
        querystring: Type.Object({
          ...Page,
          channel_type: Type.Optional(ChannelType),
          status: Type.Optional(Status),
          search: Type.Optional(Type.String({ maxLength: 300 })),
          for_options: Type.Optional(Type.Boolean()),
        }),
      },
    },
    async (request) => {
      const { query, principal } = request;
      const filter = {
        ...(query.channel_type ? { type: query.channel_type } : {}),
        ...(query.status ? { statuses: query.status === 'available' ? AVAILABLE : UNAVAILABLE } : {}),
        ...(query.search ? { search: query.search } : {}),
      };
      if (query.for_options) {
        const { rows } = await listVotelChannels(database, principal.workspaceId, filter, { limit: 10_000, offset: 0 });
        return { options: rows.map(option) };
      }
      const { rows, total } = await listVotelChannels(database, principal.workspaceId, filter, rangeOf(query));
      return { channels: rows.map(shownWhole), ...pageOf(total, query) };
    },
  );

  app.get('/channels/:id', { schema: { tags: ['Votel'], summary: 'Show a channel', params: Id } }, async (request) =>
    shownWhole(await find(request.principal.workspaceId, request.params.id)),
  );

  app.put(
    '/channels/:id',
    {
      schema: {
        tags: ['Votel'],
        summary: 'Change a channel',
        params: Id,
        body: Type.Object({
          name: Type.Optional(Name),
          is_default: Type.Optional(Type.Boolean()),
          status: Type.Optional(Status),
          metadata: Type.Optional(Metadata),
          channel_type: Type.Optional(Type.String()),
          integration_id: Type.Optional(Type.String()),
          send_from_email: Type.Optional(Type.String()),
          email_domain_id: Type.Optional(Type.String()),
          send_from_phone_number: Type.Optional(Type.String()),
          phone_number_id: Type.Optional(Type.String()),
        }),
      },
    },
    async (request) => {
      const { body, principal } = request;
      const row = await find(principal.workspaceId, request.params.id);
      refuseOtherIdentity(row, body);
      const switched = body.status !== undefined && (body.status === 'available') !== AVAILABLE.includes(row.status);
      if (body.name !== undefined || switched) {
        await engine.channels.change(row.workspaceId, row.id, {
          ...(body.name === undefined ? {} : { name: body.name }),
          ...(switched ? await switchedTo(row, body.status!) : {}),
        });
      }
      const fields = {
        ...(body.is_default === undefined ? {} : { isDefault: body.is_default }),
        ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
      };
      return shownWhole(await keep(row, fields));
    },
  );

  app.delete('/channels/:id', { schema: { tags: ['Votel'], summary: 'Delete a channel', params: Id } }, async (request, reply) => {
    const row = await find(request.principal.workspaceId, request.params.id);
    await engine.channels.delete(row.workspaceId, row.id);
    return reply.code(204).send();
  });

  function find(workspaceId: string, id: string): Promise<VotelChannel> {
    return found('Channel', id, (uuid) => getVotelChannel(database, workspaceId, uuid));
  }

  async function keep(row: { workspaceId: string; id: string; type: 'email' | 'sms' }, fields: Parameters<typeof keepVotelFields>[2]) {
    await database.transaction((client) => keepVotelFields(client, row, fields));
    return find(row.workspaceId, row.id);
  }

  async function createEmail(integration: Integration, body: Wanted, sandbox: boolean): Promise<VotelChannel> {
    const { workspaceId } = integration;
    const domain = await found('Email domain', body.email_domain_id!, (id) => getEmailDomain(database, workspaceId, id));
    const email = mailAddress('send_from_email', body.send_from_email!);
    if (!domain.verifiedAt) throw unverified(`The domain ${domain.domain} is not verified`);
    if (domainOf(email) !== domain.domain) throw invalid('send_from_email', `is not an address of ${domain.domain}`);
    const created = await connectEmail(integration, domain, { name: body.name, email, sandbox });
    return keep(created, { integrationId: integration.id, emailDomainId: domain.id, ...choices(body) });
  }

  async function connectEmail(integration: Integration, domain: EmailDomain, wanted: { name: string; email: string; sandbox: boolean }) {
    const { name, email: identifier, sandbox } = wanted;
    const row = await blaming('integration_id', () =>
      connectFor(engine, integration, { identifier, name, sandbox, domain, existing: 'refuse' }, integration.workspaceId),
    );
    return { workspaceId: row.workspaceId, id: row.id, type: 'email' as const };
  }

  async function createSms(integration: Integration, body: Wanted, sandbox: boolean): Promise<VotelChannel> {
    const { workspaceId } = integration;
    const number = await found('Phone number', body.phone_number_id!, (id) => getPhoneNumber(database, workspaceId, id));
    if (toE164(body.send_from_phone_number!) !== number.phoneNumber)
      throw invalid('send_from_phone_number', `is not ${number.phoneNumber}`);
    const { rows } = await listVotelChannels(
      database,
      workspaceId,
      { type: 'sms', identifier: number.phoneNumber },
      { limit: 1, offset: 0 },
    );
    if (rows[0]) throw new PatchbayError('conflict', `A channel for this phone number exists already: ${rows[0].name}`);
    const row = await blaming('send_from_phone_number', () =>
      connectFor(engine, integration, { identifier: number.phoneNumber, name: body.name, sandbox, existing: 'refuse' }, workspaceId),
    );
    const created = { workspaceId, id: row.id, type: 'sms' as const };
    return keep(created, { integrationId: integration.id, phoneNumberId: number.id, ...choices(body) });
  }

  async function switchedTo(row: VotelChannel, status: 'available' | 'unavailable') {
    if (status === 'unavailable') return { status: 'inactive' as const, statusReason: 'switched off' };
    const { credentials } = engine.channels.view(await engine.channels.get(row.workspaceId, row.id));
    const waits = row.type === 'sms' && !credentials.account_sid;
    return {
      status: waits ? ('pending' as const) : ('active' as const),
      statusReason: waits ? 'uses the installation’s Twilio account' : null,
    };
  }
}

/** What the caller sent is kept, also for the first channel of a type (decisions.md B14). */
function choices(body: Wanted) {
  return { isDefault: body.is_default ?? false, ...(body.metadata ? { metadata: body.metadata } : {}) };
}

function requireFields(body: Wanted): void {
  const needed =
    body.channel_type === 'email'
      ? (['send_from_email', 'email_domain_id'] as const)
      : (['send_from_phone_number', 'phone_number_id'] as const);
  const problems = needed.flatMap((field): FieldProblem[] => (body[field] ? [] : [{ field, message: 'is required' }]));
  if (problems.length > 0) throw new PatchbayError('invalid', 'fields are missing', { problems });
}

function refuseOtherIdentity(row: VotelChannel, body: Record<string, unknown>): void {
  const current = shown(row) as Record<string, unknown>;
  const fields = ['channel_type', 'integration_id', 'send_from_email', 'email_domain_id', 'send_from_phone_number', 'phone_number_id'];
  const problems = fields.flatMap((field): FieldProblem[] =>
    body[field] === undefined || body[field] === current[field] ? [] : [{ field, message: 'cannot be changed' }],
  );
  if (problems.length > 0) throw new PatchbayError('invalid', 'a channel stays what it is', { problems });
}

function mailAddress(field: string, value: string): string {
  const address = value.trim().toLowerCase();
  if (!/^[^\s@<>(),;:\\"[\]\p{Cc}]+@[^\s@<>(),;:\\"\p{Cc}]+$/u.test(address)) throw invalid(field, 'is not a mail address');
  return address;
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** 400 with the product's own code. */
function unverified(message: string): PatchbayError {
  return new PatchbayError('precondition', message, { details: { error_code: 'DOMAIN_NOT_VERIFIED' } });
}

/** What a provider, or its form, says is wrong is about this field of the request. */
async function blaming<T>(field: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const refused =
      (error instanceof PatchbayError && (error.code === 'invalid' || error.code === 'provider-refused')) ||
      (error instanceof ProviderError && error.class !== 'retry' && error.class !== 'rate-limited' && error.class !== 'unknown-outcome');
    if (!refused) throw error;
    throw new PatchbayError('invalid', (error as Error).message, {
      problems: [{ field, message: (error as Error).message }],
      cause: error,
    });
  }
}

/** As creating answers it. */
export function shown(row: VotelChannel) {
  return {
    id: row.id,
    tenant_id: row.workspaceId,
    name: row.name,
    channel_type: row.type,
    integration_id: row.integrationId,
    ...(row.type === 'email'
      ? { send_from_email: row.identifier, email_domain_id: row.emailDomainId }
      : { send_from_phone_number: row.identifier, phone_number_id: row.phoneNumberId }),
    status: AVAILABLE.includes(row.status) ? 'available' : 'unavailable',
    is_default: row.isDefault,
    metadata: row.metadata,
    created_at: timeOf(row.createdAt),
  };
}

function shownWhole(row: VotelChannel) {
  return { ...shown(row), updated_at: timeOf(row.updatedAt) };
}

function option(row: VotelChannel) {
  const available = AVAILABLE.includes(row.status);
  return {
    id: row.id,
    name: `${row.name} (${row.identifier})`,
    identifier: row.identifier,
    category: row.type,
    status: available ? 'available' : 'unavailable',
    disabled_reason: available ? null : (row.statusReason ?? 'switched off'),
  };
}
