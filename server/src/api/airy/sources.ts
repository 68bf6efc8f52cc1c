/** `sources.*`, Airy's Sources API: channels that somebody else's program speaks for. airy.md 1.10 and 3.7. */
import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { customChannelId, piecesOf } from '../../connectors/custom/index.ts';
import type { Engine } from '../../engine/engine.ts';
import { notFound, PatchbayError } from '../../model/errors.ts';
import { uuidv7 } from '../../model/ids.ts';
import { type ChannelRow, listChannels } from '../../store/channels.ts';
import { identityScopes } from '../../store/contacts.ts';
import { appendEvents } from '../../store/ingest-sql.ts';
import { getByProviderId, mergeMetadata } from '../../store/messages.ts';
import {
  changeOwnSource,
  deleteOwnSource,
  getOwnSource,
  insertOwnSource,
  listOwnSources,
  newSourceToken,
  type OwnSource,
  ownSourceByToken,
} from '../../store/own-sources.ts';
import { keyTextOf, type Principal } from '../auth.ts';
import { CUSTOM } from './own-channels.ts';
import { type Airy, Id, Name } from './routes.ts';
import { ChannelAnswer, listAnswer, NewSourceAnswer, SourceAnswer } from './schemas.ts';
import { mergeUserData } from './user-data.ts';
import { channelView } from './views.ts';

const SourceId = Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' });
const Endpoint = Type.Optional(Type.String({ pattern: '^https?://', maxLength: 2000 }));
const Text = Type.String({ minLength: 1, maxLength: 500 });
const fields = { name: Type.Optional(Name), image_url: Type.Optional(Type.String({ maxLength: 4000 })), action_endpoint: Endpoint };

const Batch = Type.Object({
  messages: Type.Optional(
    Type.Array(
      Type.Object(
        {
          source_message_id: Text,
          source_conversation_id: Text,
          source_channel_id: Text,
          source_sender_id: Text,
          content: Type.Unknown(),
          from_contact: Type.Boolean(),
          sent_at: Type.Union([Type.Number(), Type.String()]),
        },
        { additionalProperties: true },
      ),
      { maxItems: 1000 },
    ),
  ),
  metadata: Type.Optional(
    Type.Array(Type.Object({ namespace: Type.String(), source_id: Text, metadata: Type.Record(Type.String(), Type.Unknown()) }), {
      maxItems: 1000,
    }),
  ),
});

export function addSources(airy: Airy): void {
  manage(airy);
  speak(airy);
}

/** What the people of the workspace do with sources. */
function manage(airy: Airy): void {
  const { engine } = airy;
  const { database } = engine;
  const find = async (workspaceId: string, id: string, { sandbox }: Principal): Promise<OwnSource> => {
    const source = await getOwnSource(database, workspaceId, id);
    if (!source || (sandbox && !source.sandbox)) throw notFound('source');
    return source;
  };

  airy.post(
    'sources.create',
    {
      needs: 'channels:write',
      answer: NewSourceAnswer,
      summary: 'A kind of channel that a program of yours speaks for; its token is answered this once',
      body: Type.Object({ source_id: SourceId, ...fields }),
    },
    async ({ body, workspaceId, principal }) => {
      if (engine.registry.connector(body.source_id)) throw new PatchbayError('conflict', 'Source already exists');
      const token = newSourceToken();
      const source = await insertOwnSource(database, {
        workspaceId,
        sourceId: body.source_id,
        name: body.name ?? null,
        imageUrl: body.image_url ?? null,
        actionEndpoint: body.action_endpoint ?? null,
        sandbox: principal.sandbox,
        token,
      });
      if (!source) throw new PatchbayError('conflict', 'Source already exists');
      return { ...shown(source), token };
    },
  );
  airy.post(
    'sources.list',
    { needs: 'channels:read', answer: listAnswer(SourceAnswer), summary: 'The kinds of channels of your own' },
    async ({ workspaceId, principal }) => {
      const sources = await listOwnSources(database, workspaceId);
      return { data: sources.filter((source) => source.sandbox || !principal.sandbox).map(shown) };
    },
  );
  airy.post(
    'sources.update',
    {
      needs: 'channels:write',
      answer: SourceAnswer,
      summary: 'Change a kind of channel of your own',
      body: Type.Object({ source_id: SourceId, ...fields }),
    },
    async ({ body, workspaceId, principal }) => {
      const source = await find(workspaceId, body.source_id, principal);
      const { name, image_url: imageUrl, action_endpoint: actionEndpoint } = body;
      const changed = await changeOwnSource(database, workspaceId, source.sourceId, {
        ...(name === undefined ? {} : { name }),
        ...(imageUrl === undefined ? {} : { imageUrl }),
        ...(actionEndpoint === undefined ? {} : { actionEndpoint }),
      });
      if (!changed) throw notFound('source');
      if (actionEndpoint !== undefined) {
        for (const channel of await channelsOf(engine, changed)) {
          await engine.channels.change(workspaceId, channel.id, { settings: { action_endpoint: actionEndpoint } });
        }
      }
      return shown(changed);
    },
  );
  airy.post(
    'sources.delete',
    {
      needs: 'channels:write',
      status: 202,
      summary: 'Delete a kind of channel of your own; its channels are disconnected, their history stays',
      body: Type.Object({ source_id: SourceId }),
    },
    async ({ body, workspaceId, principal, reply }) => {
      const source = await find(workspaceId, body.source_id, principal);
      await deleteOwnSource(database, workspaceId, source.sourceId);
      for (const channel of await channelsOf(engine, source)) await engine.channels.disconnect(workspaceId, channel.id);
      return reply.code(202).send();
    },
  );
}

/** What the source's own program does, with its token. */
function speak(airy: Airy): void {
  const { engine } = airy;
  const { database } = engine;
  const sources = new WeakMap<Principal, OwnSource>();
  const admit = async (request: FastifyRequest): Promise<Principal | undefined> => {
    const token = keyTextOf(request);
    const source = token === undefined ? undefined : await ownSourceByToken(database, token);
    if (!source) return undefined;
    if (source.deletedAt) throw notFound('source');
    const { workspaceId, sourceId, sandbox } = source;
    const principal: Principal = {
      workspaceId,
      keyId: `source ${sourceId}`,
      name: source.name ?? sourceId,
      scopes: [],
      sandbox,
      via: 'key',
    };
    sources.set(principal, source);
    return principal;
  };

  airy.post(
    'sources.channels.create',
    {
      needs: admit,
      answer: ChannelAnswer,
      status: 201,
      summary: 'Make a channel of the source whose token is given',
      body: Type.Object({
        name: Name,
        source_channel_id: Type.String({ minLength: 1, maxLength: 200 }),
        metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      }),
    },
    async ({ body, workspaceId, principal, request, reply }) => {
      const source = sources.get(principal)!;
      const { image_url: imageUrl, ...own } = body.metadata ?? {};
      const channel = await engine.channels.connect({
        workspaceId,
        source: CUSTOM,
        input: {
          source_id: source.sourceId,
          source_channel_id: body.source_channel_id,
          // Signs what is posted to the program, as Airy does.
          secret: keyTextOf(request)!,
          ...(source.actionEndpoint ? { action_endpoint: source.actionEndpoint } : {}),
        },
        name: body.name,
        ...(typeof imageUrl === 'string' && imageUrl ? { imageUrl } : {}),
        ...(Object.keys(own).length > 0 ? { metadata: { user_data: own } } : {}),
        sandbox: source.sandbox,
        existing: 'reuse',
      });
      return reply.code(201).send(channelView(channel));
    },
  );
  airy.post(
    'sources.channels.list',
    { needs: admit, answer: listAnswer(ChannelAnswer), summary: 'The channels of the source whose token is given' },
    async ({ principal }) => ({
      data: (await channelsOf(engine, sources.get(principal)!)).map(channelView),
    }),
  );
  airy.post(
    'sources.channels.disconnect',
    { needs: admit, summary: 'Disconnect a channel of the source whose token is given', body: Type.Object({ channel_id: Id }) },
    async ({ body, workspaceId, principal, reply }) => {
      const channel = await engine.channels.get(workspaceId, body.channel_id);
      if (channel.settings.source_id !== sources.get(principal)!.sourceId) {
        throw new PatchbayError('forbidden', 'the channel is of another source');
      }
      await engine.channels.disconnect(workspaceId, channel.id);
      return reply.code(204).send();
    },
  );
  airy.post(
    'sources.webhook',
    { needs: admit, status: 200, summary: 'What people wrote on the source whose token is given', body: Batch },
    async ({ body, principal, reply }) => {
      const unknown = body.metadata?.find(({ namespace }) => namespace !== 'conversation' && namespace !== 'message');
      if (unknown) throw new PatchbayError('invalid', `Unknown metadata namespace ${unknown.namespace}`);
      await take(engine, sources.get(principal)!, body);
      return reply.code(200).send();
    },
  );
}

/** Brings a batch in through the same door as every provider's webhooks; resolves after the commit. */
async function take(engine: Engine, source: OwnSource, batch: Static<typeof Batch>): Promise<void> {
  const { workspaceId, sourceId } = source;
  const channels = new Map((await channelsOf(engine, source)).map((channel) => [channel.sourceChannelId, channel]));
  const said = new Map(batch.messages?.map((item) => [item.source_conversation_id, customChannelId(sourceId, item.source_channel_id)]));
  const names = batch.metadata?.map((item) => item.source_id) ?? [];
  // Metadata names a conversation and no channel: whichever of the source's channels it was heard of on.
  const known = await identityScopes(engine.database, workspaceId, CUSTOM, names, [...channels.keys()]);
  const pieces = piecesOf(batch, (piece) =>
    typeof piece.source_channel_id === 'string'
      ? customChannelId(sourceId, piece.source_channel_id)
      : (said.get(String(piece.source_id)) ?? known.get(String(piece.source_id)) ?? null),
  );
  await engine.ingest.submit(
    pieces.flatMap((piece) => {
      if (piece.sourceChannelId === null) return [];
      // Somebody else's source may have the same name: without a channel of ours it is kept as belonging to none.
      const id = channels.get(piece.sourceChannelId)?.id ?? uuidv7();
      return [{ ...piece, channel: { workspaceId, id } }];
    }),
  );
  await noteOnMessages(engine, [...channels.values()], batch.metadata ?? []);
}

/** Data of the program's own about messages, shown in their metadata. */
async function noteOnMessages(engine: Engine, channels: ChannelRow[], metadata: NonNullable<Static<typeof Batch>['metadata']>) {
  for (const { namespace, source_id: providerId, metadata: note } of metadata) {
    if (namespace !== 'message') continue;
    for (const { workspaceId, id: channelId } of channels) {
      await engine.database.transaction(async (client) => {
        const message = await getByProviderId(client, workspaceId, channelId, providerId);
        if (!message) return;
        await mergeMetadata(client, workspaceId, message.id, { user_data: mergeUserData(message.metadata.user_data, note) });
        await appendEvents(client, [{ ...message, type: 'message.updated', messageId: message.id, data: { metadata: true } }]);
      });
    }
  }
}

async function channelsOf(engine: Engine, { workspaceId, sourceId }: OwnSource): Promise<ChannelRow[]> {
  const channels = await listChannels(engine.database, workspaceId, { sources: [CUSTOM] });
  return channels.filter((channel) => channel.settings.source_id === sourceId);
}

function shown({ sourceId, name, imageUrl, actionEndpoint }: OwnSource) {
  return { source_id: sourceId, action_endpoint: actionEndpoint, name, image_url: imageUrl };
}
