/** Mail that one of our own people forwarded: whose it was to begin with. */
import type { MailAddress } from '../../model/content.ts';
import { isAddress, normalAddress } from '../../model/mail-address.ts';

/** How programs introduce what they forward: Gmail, Outlook, Apple Mail, Thunderbird, in the languages that we meet most. */
const INTRODUCTION =
  /^[>\s]*(?:-{2,}\s*(?:forwarded message|original message|weitergeleitete nachricht|ursprüngliche nachricht|message transféré|message d['’]origine|mensaje reenviado|mensaje original|messaggio inoltrato|mensagem encaminhada|doorgestuurd bericht)\s*-{2,}|begin forwarded message:|anfang der weitergeleiteten nachricht:|début du message réexpédié\s?:|inicio del mensaje reenviado:|inizio messaggio inoltrato:|_{10,})\s*$/i;
const FROM = /^[>\s*]*(?:from|von|de|da|van|från|fra|od)\s?:\*?\s*(.+)$/i;
const SUBJECT = /^\s*(?:fwd?|wg|tr|rv|i|enc|vb|doorst)\s*:/i;

/** True when the subject says that the mail was forwarded. */
export function isForward(subject: string): boolean {
  return SUBJECT.test(subject);
}

/** The original sender as the forwarded text names it; undefined when it names none that one could write to. */
export function originalSender(text: string): MailAddress | undefined {
  const lines = text.split(/\r?\n/, 5_000);
  const introduction = lines.findIndex((line) => line.length < 200 && INTRODUCTION.test(line));
  const from = introduction < 0 ? lines.findIndex((line) => line.length < 500 && FROM.test(line)) : introduction + 1;
  if (from < 0) return undefined;
  for (const line of lines.slice(from, from + 8)) {
    const value = line.length < 500 ? FROM.exec(line)?.[1] : undefined;
    const sender = value ? readSender(value) : undefined;
    if (sender) return sender;
  }
  return undefined;
}

/** `Ann Lee <ann@example.com>`, `Ann Lee [mailto:ann@example.com]`, `ann@example.com`, and Gmail's `*Ann* <ann@…>`. */
function readSender(value: string): MailAddress | undefined {
  const address =
    /[<[(]\s*(?:mailto:)?([^\s<>[\]()]+@[^\s<>[\]()]+)/i.exec(value)?.[1] ?? /([^\s<>[\]()"']+@[^\s<>[\]()"']+)/.exec(value)?.[1];
  if (!address || !isAddress(address)) return undefined;
  const name = value
    .slice(0, value.search(/[<[(]|\S+@/))
    .replace(/["*']/g, '')
    .trim();
  return { address: normalAddress(address), ...(name ? { name } : {}) };
}
