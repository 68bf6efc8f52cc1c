import type { MediaRef } from '../model/content.ts';
import { ProviderError } from '../model/errors.ts';
import type { ConnectorContext } from './connector.ts';

/** Fetches a file whose address is open to everybody. Throws `ProviderError`. */
export async function fetchMedia(
  ref: MediaRef,
  context: ConnectorContext,
  maxBytes = 100 * 1024 * 1024,
): Promise<{ data: Buffer; mimeType?: string; filename?: string }> {
  if (!ref.url) throw new ProviderError('rejected', 'the file has no address');
  const response = await context.http(ref.url, { maxBytes, timeoutMs: 60_000 });
  if (response.status >= 500) throw new ProviderError('retry', `the file's address answered with status ${response.status}`);
  if (response.status >= 300) throw new ProviderError('rejected', `the file's address answered with status ${response.status}`);
  const mimeType = response.headers.get('content-type')?.split(';')[0]?.trim() || ref.mimeType;
  return { data: response.body, ...(mimeType ? { mimeType } : {}), ...(ref.filename ? { filename: ref.filename } : {}) };
}
