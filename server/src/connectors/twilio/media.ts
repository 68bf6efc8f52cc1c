import type { MediaRef } from '../../model/content.ts';
import { ProviderError } from '../../model/errors.ts';
import type { ChannelView, ConnectorContext, HttpResponse } from '../connector.ts';
import { accountOfChannel, baseOf, basic } from './client.ts';
import { errorOf } from './errors.ts';

/** Largest file that WhatsApp hands on; SMS carries far less. */
const MAX_BYTES = 100 * 1024 * 1024;

/** Fetches a file of a message with the account's credentials, which go to Twilio only and never where it redirects to. */
export async function media(
  ref: MediaRef,
  channel: ChannelView,
  context: ConnectorContext,
): Promise<{ data: Buffer; mimeType?: string; filename?: string }> {
  const told = ref.providerRef ?? ref.url;
  if (!told || !URL.canParse(told)) throw new ProviderError('rejected', 'the file has no address');
  const base = new URL(baseOf('api', context.config));
  const url = new URL(told);
  if (url.hostname === 'api.twilio.com') {
    url.protocol = base.protocol;
    url.host = base.host;
  }
  const trusted = url.origin === base.origin || (url.protocol === 'https:' && url.hostname.endsWith('.twilio.com'));
  const headers: Record<string, string> = trusted ? { authorization: basic(accountOfChannel(channel, context.config)) } : {};
  let response: HttpResponse = await context.http(url.href, { headers, maxBytes: MAX_BYTES, timeoutMs: 60_000 });
  const location = response.headers.get('location');
  if (response.status >= 300 && response.status < 400 && location) {
    response = await context.http(new URL(location, url).href, { maxBytes: MAX_BYTES, timeoutMs: 60_000 });
  }
  if (response.status >= 300) throw errorOf(response);
  const mimeType = response.headers.get('content-type')?.split(';')[0]?.trim() || ref.mimeType;
  const filename = /filename="?([^";]+)"?/i.exec(response.headers.get('content-disposition') ?? '')?.[1];
  return { data: response.body, ...(mimeType ? { mimeType } : {}), ...(filename ? { filename } : {}) };
}
