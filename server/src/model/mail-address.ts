/** Mail addresses: one form for comparing them, and what may be written into a header. */
import type { MailAddress } from './content.ts';

/** The address in lower case without surrounding space; the form that identities and mailboxes are kept in. */
export function normalAddress(address: string): string {
  return address.trim().toLowerCase();
}

/** The part behind the last `@`, in lower case; empty when there is none. */
export function domainOf(address: string): string {
  const at = address.lastIndexOf('@');
  return at < 0 ? '' : normalAddress(address.slice(at + 1));
}

/** One `@`, something on both sides, nothing that could break out of a header or an SMTP command. */
export function isAddress(value: string): boolean {
  return value.length <= 320 && /^[^\s@<>(),;:\\"[\]\p{Cc}]+@[^\s@<>(),;:\\"\p{Cc}]+$/u.test(value);
}

/** `support+tag@example.com` → the mailbox and its tag. */
export function splitPlus(address: string): { mailbox: string; tag: string | undefined } {
  const normal = normalAddress(address);
  const at = normal.lastIndexOf('@');
  const plus = normal.indexOf('+');
  if (plus < 1 || plus > at) return { mailbox: normal, tag: undefined };
  return { mailbox: normal.slice(0, plus) + normal.slice(at), tag: normal.slice(plus + 1, at) };
}

/** `support@example.com` with a tag → `support+tag@example.com`. */
export function withPlus(address: string, tag: string): string {
  const at = address.lastIndexOf('@');
  return `${address.slice(0, at)}+${tag}${address.slice(at)}`;
}

/** `Ann <ann@example.com>` for people to read. */
export function formatAddress(address: MailAddress): string {
  return address.name ? `${address.name} <${address.address}>` : address.address;
}

/** True when the address is in the list, which holds addresses and `@domain` entries. */
export function isListed(address: string, list: readonly string[]): boolean {
  const normal = normalAddress(address);
  return list.some((entry) => {
    const wanted = normalAddress(entry);
    return wanted.startsWith('@') ? normal.endsWith(wanted) : wanted === normal;
  });
}
