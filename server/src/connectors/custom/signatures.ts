/** Signatures between Patchbay and somebody's own source: Standard Webhooks, and the simpler ones of Airy's Sources API. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

function standard(secret: string): Webhook {
  return secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(secret, { format: 'raw' });
}

/** The headers of a call from us. */
export function signedHeaders(secret: string, id: string, at: Date, body: string): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': standard(secret).sign(id, at, body),
    'x-airy-content-signature': hex(secret, body),
  };
}

export type Verdict = 'ok' | 'missing' | 'wrong';

/**
 * Checks a call to us: `webhook-id`, `-timestamp` and `-signature` (Standard Webhooks, refuses calls older than five
 * minutes), else `X-Patchbay-Signature: sha256=<hex>`, else `X-Airy-Content-Signature: <hex>`.
 */
export function verify(secret: string, headers: Record<string, string | undefined>, body: Buffer): Verdict {
  const signature = headers['webhook-signature'];
  if (signature) return verifyStandard(secret, headers, body);
  const given = headers['x-patchbay-signature']?.replace(/^sha256=/, '') ?? headers['x-airy-content-signature'];
  if (!given) return 'missing';
  const expected = Buffer.from(hex(secret, body));
  const actual = Buffer.from(given.toLowerCase());
  return actual.length === expected.length && timingSafeEqual(actual, expected) ? 'ok' : 'wrong';
}

function verifyStandard(secret: string, headers: Record<string, string | undefined>, body: Buffer): Verdict {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers;
  if (!id || !timestamp || !signature) return 'missing';
  try {
    standard(secret).verify(
      body,
      { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature },
      { jsonParse: false },
    );
    return 'ok';
  } catch (error) {
    if (error instanceof WebhookVerificationError) return 'wrong';
    throw error;
  }
}

function hex(secret: string, body: string | Buffer): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}
