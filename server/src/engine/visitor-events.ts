/** What a visitor's widget says, brought in through the same door as every provider's events. */
import type { ChatEvent } from '../connectors/chatplugin/index.ts';
import type { ChannelRow } from '../store/channels.ts';
import type { Engine } from './engine.ts';

/** Resolves after the commit. The channel is named: another workspace may have one with the same name. */
export async function submitChatEvent(engine: Engine, channel: ChannelRow, event: ChatEvent): Promise<void> {
  await engine.ingest.submit([
    {
      source: channel.source,
      sourceChannelId: channel.sourceChannelId,
      channelId: channel.id,
      contentType: 'application/json',
      body: Buffer.from(JSON.stringify(event)),
      value: event,
    },
  ]);
}
