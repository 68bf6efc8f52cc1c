/** WhatsApp channels (000, "WhatsApp Channels"; decisions.md B2, B3, B8, B10). */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { checkHealth } from '../../engine/health.ts';
import { reconfigure, switchOff, switchOn } from '../../engine/reconnect.ts';
import { syncTemplates } from '../../engine/templates.ts';
import { isConnected } from '../../model/channel.ts';
import { invalid, notFound, PatchbayError, ProviderError } from '../../model/errors.ts';
import type { ChannelRow } from '../../store/channels.ts';
import { getMessage } from '../../store/messages.ts';
import { maySee, visibleTo } from '../access.ts';
import type { Principal } from '../auth.ts';
import { timeOf } from '../times.ts';
import type { TypedApp } from '../typed.ts';
import { idOf, uuidFrom } from './ids.ts';
import { Id, Name, Page, pageOf } from './shapes.ts';

const Text = Type.String({ minLength: 1, maxLength: 4096 });
/** Ids of Meta and numbers without a plus are digits, which some clients send as numbers. */
const Digits = Type.Union([Text, Type.Integer()]);

/** How long `send-test` waits for the provider before it says that the message is on its way. */
const SEND_TEST_MS = 15_000;

export function registerWhatsAppChannels(app: TypedApp, engine: Engine): void {
  app.get(
    '/whatsapp/channels',
    { schema: { tags: ['Aurion'], summary: 'List WhatsApp channels', querystring: Type.Object(Page) } },
    async ({ principal, query }) => {
      const rows = await engine.channels.list(principal.workspaceId, { sources: ['whatsapp'], ...visibleTo(principal) });
      return pageOf(rows.slice(query.offset, query.offset + query.limit).map(shown), rows.length, query);
    },
  );

  app.post(
    '/whatsapp/channels',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'Connect a WhatsApp channel',
        body: Type.Object({
          name: Type.Optional(Name),
          display_name: Type.Optional(Name),
          phone_number: Type.Optional(Text),
          phone_number_id: Type.Optional(Digits),
          business_account_id: Type.Optional(Digits),
          waba_id: Type.Optional(Digits),
          api_key: Type.Optional(Text),
          access_token: Type.Optional(Text),
        }),
      },
    },
    async (request, reply) => {
      const { body, principal } = request;
      const name = body.name ?? body.display_name;
      const account = body.business_account_id ?? body.waba_id;
      const key = body.api_key ?? body.access_token;
      requireFields({ name, phone_number: body.phone_number ?? body.phone_number_id, business_account_id: account, api_key: key });
      const row = await blaming(body, () =>
        engine.channels.connect({
          workspaceId: principal.workspaceId,
          source: 'whatsapp',
          input: {
            api_key: key,
            business_account_id: String(account),
            ...(body.phone_number_id ? { phone_number_id: String(body.phone_number_id) } : { phone_number: body.phone_number }),
          },
          name: name!,
          sandbox: principal.sandbox,
          existing: 'refuse',
        }),
      );
      return reply.code(201).send(shown(row));
    },
  );

  app.get('/whatsapp/channels/:id', { schema: { tags: ['Aurion'], summary: 'Show a WhatsApp channel', params: Id } }, async (request) =>
    shown(await findWhatsApp(engine, request.principal, request.params.id)),
  );

  app.patch(
    '/whatsapp/channels/:id',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'Change a WhatsApp channel',
        params: Id,
        body: Type.Object({
          name: Type.Optional(Name),
          display_name: Type.Optional(Name),
          api_key: Type.Optional(Text),
          access_token: Type.Optional(Text),
          is_active: Type.Optional(Type.Boolean()),
        }),
      },
    },
    async (request) => {
      const { body, principal } = request;
      let row = await findWhatsApp(engine, principal, request.params.id);
      const key = body.api_key ?? body.access_token;
      // A new key keeps the channel, its id and its history; it is tried before the old one is thrown away.
      if (key !== undefined) row = await blaming(body, () => reconfigure(engine, row, credentialsOf(row, key)));
      if (body.is_active === true) row = await blaming(body, () => switchOn(engine, row));
      if (body.is_active === false) row = await switchOff(engine, row);
      const name = body.name ?? body.display_name;
      if (name !== undefined) row = await engine.channels.change(row.workspaceId, row.id, { name });
      // A key that works may still not be allowed everything: the channel says so at once.
      if (key !== undefined) row = await checkHealth(engine, row.workspaceId, row.id);
      return shown(row);
    },
  );

  app.delete(
    '/whatsapp/channels/:id',
    { schema: { tags: ['Aurion'], summary: 'Delete a WhatsApp channel', params: Id } },
    async (request, reply) => {
      const row = await findWhatsApp(engine, request.principal, request.params.id);
      await engine.channels.delete(row.workspaceId, row.id);
      return reply.code(204).send();
    },
  );

  app.post(
    '/whatsapp/channels/:id/templates/sync',
    { schema: { tags: ['Aurion'], summary: "Fetch a WhatsApp channel's templates from Meta", params: Id } },
    async (request) => {
      const row = await findWhatsApp(engine, request.principal, request.params.id);
      const counts = await syncTemplates(engine, row).catch((error) => {
        throw asUnavailable(error);
      });
      return { ok: true, templates_synced: counts.synced, templates_added: counts.added, templates_updated: counts.updated };
    },
  );

  app.post(
    '/whatsapp/channels/:id/send-test',
    { schema: { tags: ['Aurion'], summary: 'Send a test message', params: Id, body: Type.Object({ to_wa_id: Digits, body: Text }) } },
    async (request, reply) => {
      const digits = String(request.body.to_wa_id).replace(/^\+/, '');
      if (!/^\d{5,15}$/.test(digits)) throw invalid('to_wa_id', 'must be a phone number in digits');
      const row = await attended(await findWhatsApp(engine, request.principal, request.params.id));
      if (row.status === 'failed') return reply.code(422).send(failure(row.statusReason));
      const message = await engine.sender.send({
        workspaceId: row.workspaceId,
        to: { channelId: row.id, identity: { kind: 'phonenumber', value: `+${digits}` } },
        content: { type: 'text', text: request.body.body },
        sender: { id: request.principal.keyId, name: request.principal.name },
        messageId: request.intendedId,
        // A simulated customer can be written to at any time (decisions.md B8).
        ignoreWindow: true,
        once: true,
      });
      const settled = await waitForProvider(message.workspaceId, message.id);
      if (settled?.state === 'failed') {
        const busy = settled.error?.class === 'retry' || settled.error?.class === 'rate-limited';
        return reply.code(busy ? 502 : 422).send(failure(settled.error?.message ?? null));
      }
      if (!settled?.providerId) {
        return reply.code(502).send({
          ok: false,
          status: settled?.state ?? 'pending',
          error: 'WhatsApp has not said yet what became of the message',
        });
      }
      return { ok: true, status: 'sent', provider_message_id: settled.providerId };
    },
  );

  /** A test is how people see whether a repair helped: a channel that failed is asked about first. */
  async function attended(row: ChannelRow): Promise<ChannelRow> {
    return row.status === 'failed' ? checkHealth(engine, row.workspaceId, row.id) : row;
  }

  async function waitForProvider(workspaceId: string, messageId: string) {
    const deadline = Date.now() + SEND_TEST_MS;
    const settled = () => getMessage(engine.database, workspaceId, messageId);
    const { promise, resolve } = Promise.withResolvers<void>();
    const following = await engine.feed.follow(workspaceId, (events) => {
      if (events.some((event) => event.messageId === messageId && event.type === 'message.updated')) resolve();
    });
    try {
      const now = await settled();
      if (now?.state !== 'pending') return now;
      const timer = setTimeout(resolve, deadline - Date.now());
      await promise;
      clearTimeout(timer);
      return await settled();
    } finally {
      following.end();
    }
  }
}

/** A WhatsApp channel by this surface's id. Throws `not-found`, also for a deleted one, and for one that the caller may not see. */
export async function findWhatsApp(engine: Engine, principal: Principal, id: string): Promise<ChannelRow> {
  const row = await engine.channels.get(principal.workspaceId, uuidFrom('wac', id, 'WhatsApp channel'));
  if (row.source !== 'whatsapp' || row.status === 'deleted' || !maySee(principal, row)) throw notFound('WhatsApp channel');
  return row;
}

function failure(reason: string | null) {
  return { ok: false, status: 'failed', error: reason ?? 'WhatsApp refused the message' };
}

function credentialsOf(row: ChannelRow, key: string) {
  const account = text(row.settings.waba_id) ?? text(row.details.waba_id);
  return { user_token: key, ...(account ? { business_account_id: account } : {}) };
}

/** The names of 000's create request for what the connector says is wrong, and the names that are taken in their place. */
const BLAMED: Record<string, [name: string, alias: string]> = {
  'invalid-token': ['api_key', 'access_token'],
  'unknown-number': ['phone_number', 'phone_number_id'],
  'unknown-account': ['business_account_id', 'waba_id'],
};

/** What the provider refuses is the caller's field: the one of the two names that the request has. */
async function blaming<T>(body: object, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // Of its own form the connector misses the token only: a disconnect deleted it.
    if (error instanceof PatchbayError && error.code === 'invalid' && error.problems.some(({ field }) => field === 'user_token')) {
      throw invalid('api_key', 'is required: the channel was disconnected, and its key deleted');
    }
    if (!(error instanceof ProviderError)) throw error;
    const names = BLAMED[error.code ?? ''] ?? (error.class === 'unauthorized' ? BLAMED['invalid-token'] : undefined);
    if (!names) throw error;
    const field = names.find((name) => name in body) ?? names[0];
    throw new PatchbayError('invalid', error.message, { problems: [{ field, message: error.message }], cause: error });
  }
}

/** A sync that the provider broke off is no fault of the caller's, whatever its class. */
function asUnavailable(error: unknown): unknown {
  if (!(error instanceof ProviderError)) return error;
  return new PatchbayError('provider-unavailable', error.message, { cause: error });
}

function requireFields(fields: Record<string, string | number | undefined>): void {
  const problems = Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [{ field, message: 'is required' }] : []));
  if (problems.length > 0) throw new PatchbayError('invalid', `${problems[0]!.field} is required`, { problems });
}

const RATINGS = ['GREEN', 'YELLOW', 'RED'] as const;

/** Meta's tiers as this product numbers them (decisions.md B10). */
const TIERS: Record<string, string> = {
  TIER_50: 'TIER_0',
  TIER_250: 'TIER_0',
  TIER_1K: 'TIER_1',
  TIER_2K: 'TIER_1',
  TIER_10K: 'TIER_2',
  TIER_100K: 'TIER_3',
  TIER_UNLIMITED: 'TIER_4',
};

function shown(row: ChannelRow) {
  const { details } = row;
  return {
    id: idOf('wac', row.id),
    phone_number_id: row.sourceChannelId,
    waba_id: text(row.settings.waba_id) ?? text(details.waba_id),
    display_number: text(details.display_number),
    display_name: row.name,
    quality_rating: RATINGS.find((known) => known === details.quality_rating) ?? 'UNKNOWN',
    messaging_tier: TIERS[text(details.messaging_limit_tier) ?? ''] ?? 'UNKNOWN',
    is_active: isConnected(row.status),
    created_at: timeOf(row.createdAt),
  };
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
