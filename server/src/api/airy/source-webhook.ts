/** The body of `sources.webhook` → events of the source's channels. */
import Type, { type Static } from 'typebox';
import { customSource as connector, piecesOf } from '../../connectors/custom/index.ts';
import type { Engine } from '../../engine/engine.ts';
import { PatchbayError } from '../../model/errors.ts';
import type { ChannelRow } from '../../store/channels.ts';
import { type CustomSource, channelsWithAddress } from '../../store/custom-sources.ts';
import { appendEvents } from '../../store/ingest-sql.ts';
import { getByProviderId, mergeMetadata } from '../../store/messages.ts';
import { mergeUserData } from './user-data.ts';

const Text = Type.String({ minLength: 1, maxLength: 500 });

export const SourceBatch = Type.Object({
  messages: Type.Optional(
    Type.Array(
      Type.Object(
        {
          source_message_id: Text,
          source_conversation_id: Text,
          source_channel_id: Text,
          source_sender_id: Type.Optional(Text),
          content: Type.Unknown(),
          from_contact: Type.Optional(Type.Boolean()),
          sent_at: Type.Optional(Type.Union([Type.Number(), Type.String()])),
        },
        { additionalProperties: true },
      ),
      { maxItems: 1000 },
    ),
  ),
  metadata: Type.Optional(
    Type.Array(
      Type.Object({ namespace: Type.String(), source_id: Text, metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())) }),
      { maxItems: 1000 },
    ),
  ),
  receipts: Type.Optional(Type.Array(Type.Object({}, { additionalProperties: true }), { maxItems: 1000 })),
});
type Batch = Static<typeof SourceBatch>;

/**
 * Resolves once everything is durable. Throws `invalid`, and nothing is stored, when a piece cannot be read or names a
 * channel that is not there.
 */
export async function takeBatch(engine: Engine, source: CustomSource, channels: ChannelRow[], batch: Batch): Promise<void> {
  const byName = new Map(channels.map((channel) => [String(channel.settings.source_channel_id), channel]));
  const messages = (batch.messages ?? []).map((message) => {
    const channel = byName.get(message.source_channel_id);
    if (!channel) throw new PatchbayError('invalid', `there is no connected channel ${message.source_channel_id}`);
    return { channel, piece: message };
  });
  const namespace = batch.metadata?.find((one) => one.namespace !== 'conversation' && one.namespace !== 'message')?.namespace;
  if (namespace !== undefined) throw new PatchbayError('invalid', `Unknown metadata namespace ${namespace}`);
  const written = new Map(messages.map(({ channel, piece }) => [piece.source_conversation_id, channel]));
  const metadata = await Promise.all(
    (batch.metadata ?? []).map(async (piece) => {
      const own = written.get(piece.source_id);
      return (own ? [own] : await knowing(engine, source, channels, piece)).map((channel) => ({ channel, piece }));
    }),
  );
  const receipts = (batch.receipts ?? []).flatMap((piece) => {
    const named = typeof piece === 'object' && 'source_channel_id' in piece ? byName.get(String(piece.source_channel_id)) : undefined;
    return (named ? [named] : channels).map((channel) => ({ channel, piece }));
  });
  const events = [
    ...messages.flatMap(({ channel, piece }) => eventsOf(channel, { messages: [piece] })),
    ...metadata.flat().flatMap(({ channel, piece }) => eventsOf(channel, { metadata: [piece] })),
    ...receipts.flatMap(({ channel, piece }) => eventsOf(channel, { receipts: [piece] })),
  ];
  await engine.ingest.submit(events);
  await noteOnMessages(engine, channels, batch.metadata ?? []);
}

/** Data of the program's own about messages, shown in their metadata. */
async function noteOnMessages(engine: Engine, channels: ChannelRow[], pieces: NonNullable<Batch['metadata']>): Promise<void> {
  for (const { namespace, source_id: providerId, metadata: note } of pieces) {
    if (namespace !== 'message' || !note) continue;
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

/** The channels on which the conversation that is described is known; metadata alone opens none. */
async function knowing(
  engine: Engine,
  { workspaceId }: CustomSource,
  channels: ChannelRow[],
  piece: { source_id: string },
): Promise<ChannelRow[]> {
  const ids = channels.map(({ id }) => id);
  const known = new Set(
    await channelsWithAddress(engine.database, workspaceId, { kind: connector.identity.kind, value: piece.source_id }, ids),
  );
  return channels.filter(({ id }) => known.has(id));
}

function eventsOf(channel: ChannelRow, batch: Batch) {
  const { workspaceId, id, sourceChannelId } = channel;
  return piecesOf(batch, () => sourceChannelId).map((event) => {
    try {
      connector.parse(event);
    } catch (error) {
      throw new PatchbayError('invalid', (error as Error).message, { cause: error });
    }
    return { ...event, channel: { workspaceId, id } };
  });
}
