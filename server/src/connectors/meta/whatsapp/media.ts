/**
 * Files: inbound ones are fetched with the token, outbound ones uploaded once and used again while Meta keeps them.
 * developers.facebook.com/docs/whatsapp/cloud-api/reference/media
 */
import { createHash } from 'node:crypto';
import type { MediaRef } from '../../../model/content.ts';
import { ProviderError } from '../../../model/errors.ts';
import type { ConnectorContext } from '../../connector.ts';
import { number, text } from '../values.ts';
import { type Channel, graphOf } from './account.ts';
import type { SentMedia } from './body.ts';
import { hexOf } from './content.ts';

const LARGEST = 100 * 1024 * 1024;
/** Meta keeps an upload for 30 days; a day less, so that none runs out on the way. */
const KEPT_SECONDS = 29 * 24 * 3600;

/** Fetches an inbound file and checks it against the sum and size that Meta told. */
export async function fetchMedia(
  ref: MediaRef,
  channel: Channel,
  context: ConnectorContext,
): Promise<{ data: Buffer; mimeType?: string; filename?: string }> {
  const client = graphOf(channel, context);
  if (!ref.providerRef) {
    if (!ref.url) throw new ProviderError('rejected', 'The file has neither an id nor an address');
    const answer = await client.download(ref.url, { maxBytes: LARGEST });
    return { data: answer.body, mimeType: ref.mimeType ?? typeOf(answer.headers), filename: ref.filename };
  }
  const told = await client.call(ref.providerRef, { query: { phone_number_id: channel.sourceChannelId } });
  const url = text(told.url);
  if (!url) throw new ProviderError('retry', 'Meta gave no address for the file', { raw: told });
  const size = number(told.file_size);
  if (size !== undefined && size > LARGEST)
    throw new ProviderError('rejected', `The file has ${size} bytes, more than the ${LARGEST} that are fetched`);
  const answer = await client.download(url, { token: channel.credentials.access_token, maxBytes: LARGEST });
  const expected = hexOf(told.sha256) ?? ref.sha256;
  if (expected && createHash('sha256').update(answer.body).digest('hex') !== expected) {
    throw new ProviderError('retry', 'The file that arrived does not have the SHA-256 sum that Meta told', { code: 'checksum' });
  }
  if (size !== undefined && answer.body.length !== size) {
    throw new ProviderError('retry', `The file that arrived has ${answer.body.length} bytes instead of ${size}`, { code: 'size' });
  }
  return { data: answer.body, mimeType: text(told.mime_type) ?? ref.mimeType ?? typeOf(answer.headers), filename: ref.filename };
}

/** An outbound file as WhatsApp takes it. `fresh` uploads again although an upload is remembered. */
export async function sendable(ref: MediaRef, channel: Channel, context: ConnectorContext, fresh: boolean): Promise<SentMedia> {
  if (!ref.id) {
    if (ref.providerRef) return { id: ref.providerRef };
    if (ref.url) return { link: ref.url };
    throw new ProviderError('rejected', 'The file to send has neither an id nor an address');
  }
  const key = `upload:${ref.id}`;
  const remembered = fresh ? undefined : text(await context.memo.get(key));
  if (remembered) return { id: remembered };
  const file = await context.openMedia(ref.id);
  if (!file) throw new ProviderError('rejected', 'The file to send is no longer stored');
  const form = new FormData();
  form.set('messaging_product', 'whatsapp');
  form.set('type', file.mimeType);
  form.set('file', new Blob([new Uint8Array(file.data)], { type: file.mimeType }), file.filename ?? ref.filename ?? 'file');
  const answer = await graphOf(channel, context).call(`${channel.sourceChannelId}/media`, {
    method: 'POST',
    repeatable: true,
    form,
    timeoutMs: 120_000,
  });
  const id = text(answer.id);
  if (!id) throw new ProviderError('retry', 'Meta took the file but gave no id for it', { raw: answer });
  await context.memo.set(key, id, KEPT_SECONDS);
  return { id };
}

function typeOf(headers: Headers): string | undefined {
  return headers.get('content-type')?.split(';')[0]?.trim();
}
