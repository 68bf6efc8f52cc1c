/** Calls to the business's webhooks, signed as Twilio signs them, repeated as the address's fragment asks. */
import { createHmac } from 'node:crypto';

/** Posts a form to a webhook and gives the HTTP status; 0 where there was no answer. */
export type Post = (url: string, headers: Record<string, string>, body: string) => Promise<number>;

export interface Delivery {
  url: string;
  parameters: Record<string, string>;
  /** The HTTP status of every try; 0 where there was no answer. */
  attempts: number[];
}

/** base64(HMAC-SHA1(auth token, address + names and values in order of name)). */
export function sign(authToken: string, url: string, parameters: Record<string, string>): string {
  const text = Object.keys(parameters)
    .sort()
    .reduce((joined, name) => joined + name + parameters[name], url);
  return createHmac('sha1', authToken).update(text).digest('base64');
}

/** Posts a form to a webhook; the fragment's `rc` is how often it is tried again, `rp=all` on any failure. */
export async function deliver(
  address: string,
  parameters: Record<string, string>,
  authToken: string,
  post: Post = postOverHttp,
): Promise<Delivery> {
  const [url = '', fragment = ''] = address.split('#');
  const overrides = new URLSearchParams(fragment);
  const retries = Math.min(Number(overrides.get('rc') ?? 1), 5);
  const everyFailure = overrides.get('rp')?.split(',').includes('all') ?? false;
  const delivery: Delivery = { url, parameters, attempts: [] };
  for (let attempt = 0; attempt <= retries; attempt += 1) {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'x-twilio-signature': sign(authToken, url, parameters),
      'user-agent': 'TwilioProxy/1.1',
      'i-twilio-idempotency-token': parameters.MessageSid ?? '',
      ...(attempt > 0 ? { 'i-twilio-retry-count': String(attempt) } : {}),
    };
    const status = await post(url, headers, new URLSearchParams(parameters).toString());
    delivery.attempts.push(status);
    const retry = status === 0 || (everyFailure && status >= 400);
    if (!retry) break;
  }
  return delivery;
}

async function postOverHttp(url: string, headers: Record<string, string>, body: string): Promise<number> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(15_000),
      redirect: 'manual',
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}
