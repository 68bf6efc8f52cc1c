/** `/api/channels` (002; decisions.md B13–B16, B31, B35). */
import Type from 'typebox';
import { switchChannel } from '../../engine/account-channels.ts';
import type { Engine } from '../../engine/engine.ts';
import { type FieldProblem, PatchbayError } from '../../model/errors.ts';
import { normalAddress } from '../../model/mail-address.ts';
import { toE164 } from '../../model/phone.ts';
import { getVotelChannel, listVotelChannels, type VotelChannel } from '../../store/votel-channels.ts';
import { visibleTo } from '../access.ts';
import type { Principal } from '../auth.ts';
import type { TypedApp } from '../typed.ts';
import { isAvailable, option, STATUSES, shown, shownWhole } from './channel-views.ts';
import { missing, Unprocessable, violationsOf } from './errors.ts';
import { channelForAddress, createChannel, keep, NEEDED, type Wanted } from './new-channels.ts';
import { found, Id, Metadata, Name, Page, pageOf, Ref, rangeOf } from './shapes.ts';

const ChannelType = Type.Union([Type.Literal('email'), Type.Literal('sms')]);
const Status = Type.Union([Type.Literal('available'), Type.Literal('unavailable')]);
const Address = Type.String({ minLength: 1, maxLength: 320 });

/** A menu holds them all. */
const MOST_OPTIONS = 10_000;

export function registerChannels(app: TypedApp, engine: Engine): void {
  const { database } = engine;

  app.post(
    '/channels',
    {
      attachValidation: true,
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
      const { body, principal } = request;
      const problems = [...violationsOf(request), ...missingIn(body)];
      if (problems.length > 0) throw new Unprocessable(problems);
      return reply.code(201).send(shown(await createChannel(engine, principal, body)));
    },
  );

  app.post(
    '/channels/auto-create-for-email',
    { schema: { tags: ['Votel'], summary: 'The channel of an address, made when there is none', body: Type.Object({ email: Address }) } },
    async (request, reply) => {
      const { channel, made } = await channelForAddress(engine, request.principal, request.body.email);
      return reply.code(made ? 201 : 200).send(shown(channel));
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
        ...visibleTo(principal),
        ...(query.channel_type ? { type: query.channel_type } : {}),
        ...(query.status ? { statuses: STATUSES[query.status] } : {}),
        ...(query.search ? { search: query.search } : {}),
      };
      if (query.for_options) {
        const { rows } = await listVotelChannels(database, principal.workspaceId, filter, { limit: MOST_OPTIONS, offset: 0 });
        return { options: rows.map(option) };
      }
      const { rows, total } = await listVotelChannels(database, principal.workspaceId, filter, rangeOf(query));
      return { channels: rows.map(shownWhole), ...pageOf(total, query) };
    },
  );

  app.get('/channels/:id', { schema: { tags: ['Votel'], summary: 'Show a channel', params: Id } }, async (request) =>
    shownWhole(await find(request.principal, request.params.id)),
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
      const row = await find(principal, request.params.id);
      refuseOtherIdentity(row, body);
      const { name, status, is_default: isDefault, metadata } = body;
      // First what a provider may refuse, so that nothing has changed then.
      if (status !== undefined && (status === 'available') !== isAvailable(row)) await switchChannel(engine, row, status === 'available');
      if (name !== undefined) await engine.channels.change(row.workspaceId, row.id, { name });
      if (isDefault === undefined && metadata === undefined) return shownWhole(await find(principal, row.id));
      const fields = { ...(isDefault === undefined ? {} : { isDefault }), ...(metadata === undefined ? {} : { metadata }) };
      return shownWhole(await keep(engine, row, fields));
    },
  );

  app.delete('/channels/:id', { schema: { tags: ['Votel'], summary: 'Delete a channel', params: Id } }, async (request, reply) => {
    const row = await find(request.principal, request.params.id);
    await engine.channels.delete(row.workspaceId, row.id);
    return reply.code(204).send();
  });

  function find(principal: Principal, id: string): Promise<VotelChannel> {
    return found('Channel', id, principal, (uuid) => getVotelChannel(database, principal.workspaceId, uuid));
  }
}

/** The conditional fields (decisions.md B15), also where the rest of the body is wrong. */
function missingIn(body: Partial<Wanted>) {
  const type = body?.channel_type;
  const needed = type !== undefined && Object.hasOwn(NEEDED, type) ? NEEDED[type] : [];
  return needed.filter((field) => body[field] === undefined).map(missing);
}

/** A client may send the whole object back, its identity as it is (decisions.md B16). */
function refuseOtherIdentity(row: VotelChannel, body: Record<string, unknown>): void {
  const current = shown(row) as Record<string, unknown>;
  const same: Record<string, (given: string) => unknown> = { send_from_email: normalAddress, send_from_phone_number: toE164 };
  const fields = ['channel_type', 'integration_id', 'send_from_email', 'email_domain_id', 'send_from_phone_number', 'phone_number_id'];
  const problems = fields.flatMap((field): FieldProblem[] => {
    const given = body[field];
    if (given === undefined || (same[field]?.(String(given)) ?? given) === current[field]) return [];
    return [{ field, message: 'cannot be changed' }];
  });
  if (problems.length > 0) throw new PatchbayError('invalid', 'a channel stays what it is', { problems });
}
