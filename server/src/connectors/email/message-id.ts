/** Message-IDs: ours, everybody else's, and the plus-tags that carry ours where no header survives. */
import { createHash } from 'node:crypto';
import { isUuid } from '../../model/ids.ts';
import { domainOf, splitPlus, withPlus } from '../../model/mail-address.ts';

const MAX_LENGTH = 400;

/** Carries our message's id through providers that replace the Message-ID (Gmail, Exchange). */
export const OUR_HEADER = 'X-Patchbay-Message-Id';

/** A Message-ID without brackets; undefined when the header holds none. Very long ones are hashed. */
export function readMessageId(value: string | undefined): string | undefined {
  if (!value) return undefined;
  const bare = (/<\s*([^<>]*?)\s*>/.exec(value)?.[1] ?? value.trim().split(/\s+/, 1)[0] ?? '').replace(/\s+/g, '');
  if (bare === '') return undefined;
  return bare.length > MAX_LENGTH ? `sha256:${createHash('sha256').update(bare).digest('hex')}` : bare;
}

/** Every Message-ID of a References or In-Reply-To header, in its order; the first and the last fifty of very long ones. */
export function readMessageIds(value: string | undefined): string[] {
  if (!value) return [];
  const found = value.match(/<[^<>]+>/g) ?? value.split(/\s+/);
  const ids = [...new Set(found.map(readMessageId).filter((id) => id !== undefined))];
  return ids.length > 51 ? [ids[0]!, ...ids.slice(-50)] : ids;
}

/** The Message-ID of an outgoing message: its own id at the mailbox's domain. */
export function messageIdOf(ourId: string, mailbox: string): string {
  return `${ourId}@${domainOf(mailbox)}`;
}

/** Our message's id, when the Message-ID is one that we made for this mailbox. */
export function ourIdOf(messageId: string, mailbox: string): string | undefined {
  const at = messageId.lastIndexOf('@');
  const id = messageId.slice(0, at);
  return isUuid(id) && messageId.slice(at + 1).toLowerCase() === domainOf(mailbox) ? id.toLowerCase() : undefined;
}

/** Where answers to a message go (`reply`), and where its bounces go (`bounce`). */
export function taggedAddress(kind: 'reply' | 'bounce', ourId: string, mailbox: string): string {
  return withPlus(mailbox, `${kind === 'reply' ? 'r' : 'b'}-${ourId.replaceAll('-', '')}`);
}

/** The message that a tagged address of this mailbox names. */
export function taggedId(address: string, mailbox: string): string | undefined {
  const { mailbox: base, tag } = splitPlus(address);
  const hex = /^[rb]-([0-9a-f]{32})$/.exec(tag ?? '')?.[1];
  if (!hex || base !== mailbox.toLowerCase()) return undefined;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
