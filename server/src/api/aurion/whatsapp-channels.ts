/** WhatsApp channels (000, "WhatsApp Channels"; decisions.md B2, B3, B8, B10). */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { checkHealth } from '../../engine/health.ts';
import { syncTemplates } from '../../engine/templates.ts';
import { isConnected } from '../../model/channel.ts';
import { invalid, notFound, PatchbayError, ProviderError } from '../../model/errors.ts';
import type { ChannelRow } from '../../store/channels.ts';
import { getMessage } from '../../store/messages.ts';
import { idOf, timeOf, uuidFrom } from './ids.ts';
import { type AurionApp, Page, pageOf } from './shapes.ts';

const Id = Type.Object({ id: Type.String() });
const Text = Type.String({ minLength: 1, maxLength: 4096 });

/** How long `send-test` waits for the provider before it says that the message is on its way. */
const SEND_TEST_MS = 15_000;

export function registerWhatsAppChannels(app: AurionApp, engine: Engine): void {
  app.get(
    '/whatsapp/channels',
    { schema: { tags: ['Aurion'], summary: 'List WhatsApp channels', querystring: Type.Object(Page) } },
    async (request) => {
      const rows = (await engine.channels.list(request.principal.workspaceId, { sources: ['whatsapp'], newestFirst: false })).filter(
        isListed,
      );
      const { limit, offset } = request.query;
      return pageOf(rows.slice(offset, offset + limit).map(shown), rows.length, request.query);
    },
  );

  app.post(
    '/whatsapp/channels',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'Connect a WhatsApp channel',
        body: Type.Object({
          name: Type.Optional(Text),
          display_name: Type.Optional(Text),
          phone_number: Type.Optional(Text),
          phone_number_id: Type.Optional(Text),
          business_account_id: Type.Optional(Text),
          waba_id: Type.Optional(Text),
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
            business_account_id: account,
            ...(body.phone_number_id ? { phone_number_id: body.phone_number_id } : { phone_number: body.phone_number }),
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
    shown(await findWhatsApp(engine, request.principal.workspaceId, request.params.id)),
  );

  app.patch(
    '/whatsapp/channels/:id',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'Change a WhatsApp channel',
        params: Id,
        body: Type.Object({
          name: Type.Optional(Text),
          display_name: Type.Optional(Text),
          api_key: Type.Optional(Text),
          access_token: Type.Optional(Text),
          is_active: Type.Optional(Type.Boolean()),
        }),
      },
    },
    async (request) => {
      const { body, principal } = request;
      let row = await findWhatsApp(engine, principal.workspaceId, request.params.id);
      const key = body.api_key ?? body.access_token;
      if (key !== undefined) row = await rotateKey(row, key, body);
      const name = body.name ?? body.display_name;
      const switched = body.is_active === undefined || body.is_active === isConnected(row.status);
      if (name !== undefined || !switched) {
        row = await engine.channels.change(principal.workspaceId, row.id, {
          ...(name === undefined ? {} : { name }),
          ...(switched ? {} : { status: body.is_active ? 'active' : 'inactive', statusReason: body.is_active ? null : 'switched off' }),
        });
      }
      return shown(row);
    },
  );

  app.delete(
    '/whatsapp/channels/:id',
    { schema: { tags: ['Aurion'], summary: 'Delete a WhatsApp channel', params: Id } },
    async (request, reply) => {
      const row = await findWhatsApp(engine, request.principal.workspaceId, request.params.id);
      await engine.channels.delete(row.workspaceId, row.id);
      return reply.code(204).send();
    },
  );

  app.post(
    '/whatsapp/channels/:id/templates/sync',
    { schema: { tags: ['Aurion'], summary: "Fetch a WhatsApp channel's templates from Meta", params: Id } },
    async (request) => {
      const row = await findWhatsApp(engine, request.principal.workspaceId, request.params.id);
      const counts = await syncTemplates(engine, row).catch((error) => {
        throw asUnavailable(error);
      });
      return { ok: true, templates_synced: counts.synced, templates_added: counts.added, templates_updated: counts.updated };
    },
  );

  app.post(
    '/whatsapp/channels/:id/send-test',
    { schema: { tags: ['Aurion'], summary: 'Send a test message', params: Id, body: Type.Object({ to_wa_id: Text, body: Text }) } },
    async (request, reply) => {
      const row = await findWhatsApp(engine, request.principal.workspaceId, request.params.id);
      const digits = request.body.to_wa_id.replace(/^\+/, '');
      if (!/^\d{5,15}$/.test(digits)) throw invalid('to_wa_id', 'must be a phone number in digits');
      const message = await engine.sender.send({
        workspaceId: row.workspaceId,
        to: { channelId: row.id, identity: { kind: 'phonenumber', value: `+${digits}` } },
        content: { type: 'text', text: request.body.body },
        sender: { id: request.principal.keyId, name: request.principal.name },
        messageId: request.intendedId,
        // A simulated customer can be written to at any time (decisions.md B8).
        ignoreWindow: true,
      });
      const settled = await waitForProvider(message.workspaceId, message.id);
      if (settled?.state === 'failed') {
        const unavailable = settled.error?.class === 'retry' || settled.error?.class === 'rate-limited';
        return reply.code(unavailable ? 502 : 422).send({ ok: false, status: 'failed', error: settled.error?.message ?? 'refused' });
      }
      if (!settled?.providerId) {
        return reply.code(502).send({
          ok: false,
          status: settled?.state ?? 'pending',
          error: 'WhatsApp has not answered yet; the message is kept and tried again',
        });
      }
      return { ok: true, status: 'sent', provider_message_id: settled.providerId };
    },
  );

  /** A new key keeps the channel, its id and its history; it is tried before the old one is thrown away. */
  async function rotateKey(row: ChannelRow, key: string, body: object): Promise<ChannelRow> {
    const { workspaceId, id, settings, name, sandbox } = row;
    return blaming(body, () =>
      engine.channels.connect({
        workspaceId,
        source: 'whatsapp',
        input: {
          api_key: key,
          phone_number_id: row.sourceChannelId,
          ...(settings.waba_id ? { business_account_id: settings.waba_id } : {}),
        },
        name,
        sandbox,
        existing: 'reuse',
      }),
    ).then(() => checkHealth(engine, workspaceId, id));
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

/** A WhatsApp channel by this surface's id. Throws `not-found`, also for a deleted one. */
export async function findWhatsApp(engine: Engine, workspaceId: string, id: string): Promise<ChannelRow> {
  const row = await engine.channels.get(workspaceId, uuidFrom('wac', id, 'WhatsApp channel'));
  if (row.source !== 'whatsapp' || !isListed(row)) throw notFound('WhatsApp channel');
  return row;
}

function isListed(row: ChannelRow): boolean {
  return row.status !== 'deleted';
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

function requireFields(fields: Record<string, string | undefined>): void {
  const problems = Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [{ field, message: 'is required' }] : []));
  if (problems.length > 0) throw new PatchbayError('invalid', `${problems[0]!.field} is required`, { problems });
}

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
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  return {
    id: idOf('wac', row.id),
    phone_number_id: row.sourceChannelId,
    waba_id: text(row.settings.waba_id) ?? text(details.waba_id),
    display_number: text(details.display_number),
    display_name: row.name,
    quality_rating: text(details.quality_rating) ?? 'UNKNOWN',
    messaging_tier: TIERS[text(details.messaging_limit_tier) ?? ''] ?? 'UNKNOWN',
    is_active: isConnected(row.status),
    created_at: timeOf(row.createdAt),
  };
}
