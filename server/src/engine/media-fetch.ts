/** Fetches the files of inbound messages from their providers, before the providers' links end. */
import { ProviderError } from '../model/errors.ts';
import { getChannel } from '../store/channels.ts';
import { appendEvents } from '../store/ingest-sql.ts';
import { claimMedia, failMedia, finishMedia, type MediaRow } from '../store/media.ts';
import { getMessage } from '../store/messages.ts';
import { rawEventOfMessage } from '../store/raw-events.ts';
import type { Engine } from './engine.ts';
import { Worker } from './worker.ts';

const LEASE_SECONDS = 120;
/** Waits between tries, in seconds; after the last one the file has failed, and says so. */
const RETRY_SECONDS = [5, 30, 120, 600, 3600, 21_600];
/** While the provider does not let the channel in nothing is lost: the file is asked for again until somebody repaired it. */
const LOCKED_OUT_SECONDS = 300;
/** Providers keep files for a week. */
const KEPT_MS = 7 * 24 * 3_600_000;

type Parts = Pick<Engine, 'database' | 'channels' | 'contexts' | 'media' | 'spool' | 'log'>;

export function mediaFetcher(parts: Parts): Worker {
  return new Worker({
    name: 'media',
    restMs: 1_000,
    log: parts.log,
    work: async () => {
      const rows = await claimMedia(parts.database, 8, LEASE_SECONDS);
      await Promise.all(rows.map((row) => fetchOne(parts, row)));
      return rows.length;
    },
  });
}

async function fetchOne(parts: Parts, row: MediaRow): Promise<void> {
  const { database, media, log } = parts;
  try {
    const file = await download(parts, row);
    const stored = await media.write(file.data, file.filename ?? row.filename ?? undefined, file.mimeType ?? row.mimeType ?? undefined);
    await finishMedia(database, { workspaceId: row.workspaceId, id: row.id, ...stored, filename: file.filename ?? null });
  } catch (error) {
    const permanent = error instanceof ProviderError && (error.class === 'rejected' || error.class === 'recipient-unreachable');
    const lockedOut = error instanceof ProviderError && error.class === 'unauthorized' && Date.now() - row.createdAt.getTime() < KEPT_MS;
    const wait = permanent ? undefined : lockedOut ? LOCKED_OUT_SECONDS : RETRY_SECONDS[row.attempts - 1];
    const message = error instanceof Error ? error.message : String(error);
    log.warn(
      { media: row.id, channel: row.channelId, attempts: row.attempts, givenUp: wait === undefined },
      `a file could not be fetched: ${message}`,
    );
    await failMedia(database, row.workspaceId, row.id, message, wait === undefined ? null : new Date(Date.now() + wait * 1000));
  }
  await announce(parts, row);
}

async function download(
  parts: Parts,
  row: MediaRow,
): Promise<{ data: Buffer | AsyncIterable<Buffer>; mimeType?: string; filename?: string }> {
  const channel = row.channelId ? await getChannel(parts.database, row.workspaceId, row.channelId) : undefined;
  if (!channel) throw new ProviderError('rejected', 'the channel is gone');
  const context = parts.contexts.for({ workspaceId: row.workspaceId, channelId: channel.id, sandbox: channel.sandbox });
  const ref = row.providerRef ?? {};
  const ours = ref.url && parts.media.idOf(row.workspaceId, ref.url);
  if (ours) {
    const stored = await parts.media.open(row.workspaceId, ours);
    if (stored) return stored;
  }
  const connector = parts.channels.connectorOf(channel.source);
  if (connector.mediaOf) {
    const raw = row.messageId ? await rawEventOfMessage(parts.database, row.workspaceId, row.messageId) : undefined;
    if (!raw) throw new ProviderError('rejected', 'what the file came in is gone');
    return connector.mediaOf(ref, raw, parts.spool);
  }
  if (connector.media) return connector.media(ref, parts.channels.view(channel), context);
  if (!ref.url) throw new ProviderError('rejected', 'the file has no address');
  const answer = await context.http(ref.url, { maxBytes: 100 * 1024 * 1024, timeoutMs: 60_000 });
  if (answer.status !== 200)
    throw new ProviderError(answer.status >= 500 ? 'retry' : 'rejected', `the file's address answered ${answer.status}`);
  const mimeType = answer.headers.get('content-type');
  return { data: answer.body, ...(mimeType ? { mimeType } : {}) };
}

/** Whoever shows the message learns that its file is there, or why it is not. */
async function announce(parts: Parts, row: MediaRow): Promise<void> {
  const message = row.messageId ? await getMessage(parts.database, row.workspaceId, row.messageId) : undefined;
  if (!message) return;
  await parts.database.transaction((client) =>
    appendEvents(client, [{ ...message, type: 'media.updated', messageId: message.id, data: { mediaId: row.id } }]),
  );
}
