/** Bird's signature and that of Standard Webhooks, side by side (decisions.md B19): each attempt is stamped anew. */
import { createHash, createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { WebhookCall } from '../../engine/webhooks.ts';

export function workspaceHeaders({ id, at, url, body, signingKey }: WebhookCall): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  return {
    'user-agent': 'Patchbay',
    'messagebird-request-id': id,
    'messagebird-request-timestamp': timestamp,
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    ...(signingKey
      ? {
          'messagebird-signature': birdSignature(signingKey, timestamp, url, body),
          'webhook-signature': standard(signingKey, id, at, body),
        }
      : {}),
  };
}

/** Over the time, the exact address and the body's digest as raw bytes. */
export function birdSignature(signingKey: string, timestamp: string, url: string, body: string): string {
  const digest = createHash('sha256').update(body).digest();
  return createHmac('sha256', signingKey).update(`${timestamp}\n${url}\n`).update(digest).digest('base64');
}

/** Keys that begin with `whsec_` are base64, as that standard says; others are taken as they are. */
function standard(signingKey: string, id: string, at: Date, body: string): string {
  const key = /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(signingKey) ? new Webhook(signingKey) : new Webhook(signingKey, { format: 'raw' });
  return key.sign(id, at, body);
}
