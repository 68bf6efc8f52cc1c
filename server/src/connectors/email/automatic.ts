/** Mail that no person wrote to us: it is shown, raises no unread mark, and is never answered by a machine of ours. */
import { header, type MailHeaders } from './headers.ts';

/** More hops than any real route has: the mail is going in circles (RFC 5321, 6.3). */
export const MAX_HOPS = 50;

/** Why a mail is automatic (RFC 3834, RFC 2369, and what programs really send); undefined for a person's mail. */
export function automaticReason(headers: MailHeaders, envelopeSender: string | undefined, sender: string): string | undefined {
  const submitted = header(headers, 'auto-submitted')?.toLowerCase();
  if (submitted && !submitted.startsWith('no')) return `Auto-Submitted: ${submitted.slice(0, 60)}`;
  if (envelopeSender === '' || header(headers, 'return-path')?.trim() === '<>') return 'null sender';
  const precedence = header(headers, 'precedence')?.toLowerCase().trim();
  if (precedence && ['bulk', 'junk', 'list', 'auto_reply', 'auto-reply'].includes(precedence)) return `Precedence: ${precedence}`;
  const list = ['list-id', 'list-unsubscribe', 'list-post', 'list-help', 'mailing-list', 'x-mailing-list'].find((name) =>
    headers.has(name),
  );
  if (list) return list;
  const suppress = header(headers, 'x-auto-response-suppress')?.toLowerCase();
  if (suppress && /\b(?:all|oof|autoreply)\b/.test(suppress) && suppress !== 'none') return 'X-Auto-Response-Suppress';
  const marker = ['x-autoreply', 'x-autorespond', 'x-autoreply-from', 'x-loop', 'x-ms-exchange-inbox-rules-loop', 'feedback-id'].find(
    (name) => headers.has(name),
  );
  if (marker) return marker;
  if (/^(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?(?:[+-].*)?)@/i.test(sender)) return 'sender';
  if (hops(headers) > MAX_HOPS) return 'too many hops';
  return undefined;
}

/** How many servers handled the mail. */
export function hops(headers: MailHeaders): number {
  return headers.get('received')?.length ?? 0;
}
