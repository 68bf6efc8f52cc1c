/**
 * Which conversation a mail belongs to, as candidates for the engine to look up (see `ThreadRef`). In order: our own
 * Message-IDs among all that the mail names, In-Reply-To, References from the last to the first, the plus-tag of the
 * address it was sent to. Subject and participants are a guess, offered only for an answer that names nothing.
 */
import { createHash } from 'node:crypto';
import type { ThreadRef } from '../events.ts';
import { messageIdOf, ourIdOf, taggedId } from './message-id.ts';

export interface ThreadInput {
  mailbox: string;
  /** The mail's own id. */
  id: string;
  inReplyTo: string[];
  references: string[];
  /** Every address that it was sent to, by envelope and by header. */
  recipients: string[];
  subject: string;
  /** The far end. */
  contact: string;
}

const PREFIX =
  /^\s*(?:(?:re|aw|antw|sv|vs|ref|rif|odp|ynt|res|fwd?|wg|tr|rv|enc|i|回复|答复|转发|回覆)\s*(?:\[\d+\]|\(\d+\))?\s*[:：]\s*|\[[^\]]{1,40}\]\s*(?=re\b))/iu;

/** The subject without any number of answer and forward marks. */
export function bareSubject(subject: string): string {
  let bare = subject.slice(0, 1000);
  for (let round = 0; round < 20; round++) {
    const next = bare.replace(PREFIX, '');
    if (next === bare) break;
    bare = next;
  }
  return bare.trim();
}

/** True when the subject carries an answer mark. */
export function isAnswer(subject: string): boolean {
  return PREFIX.test(subject);
}

/** What a later mail of the same exchange would hash to when it names no other mail. */
function guessOf(subject: string, contact: string): string | undefined {
  const bare = bareSubject(subject).toLowerCase();
  return bare === '' ? undefined : `subject:${createHash('sha256').update(`${bare}\n${contact}`).digest('hex').slice(0, 32)}`;
}

/** The thread of a mail, and what must be kept to answer it. */
export function threadOf(
  input: ThreadInput,
): { key: string; candidates: string[]; guess?: string; data: Record<string, unknown> } & ThreadRef {
  const named = [...input.inReplyTo, ...input.references.toReversed()].filter((id) => id !== input.id);
  const ours = named.filter((id) => ourIdOf(id, input.mailbox) !== undefined);
  const tagged = input.recipients.flatMap((address) => {
    const id = taggedId(address, input.mailbox);
    return id ? [messageIdOf(id, input.mailbox)] : [];
  });
  const candidates = [...new Set([...ours, ...named, ...tagged])];
  const guess = guessOf(input.subject, input.contact);
  const chain = [...new Set([...input.references, ...input.inReplyTo, input.id])];
  return {
    key: input.references[0] ?? input.inReplyTo[0] ?? tagged[0] ?? input.id,
    candidates,
    ...(guess && candidates.length === 0 && isAnswer(input.subject) ? { guess } : {}),
    subject: bareSubject(input.subject),
    data: { references: chain.length > 51 ? [chain[0], ...chain.slice(-50)] : chain, ...(guess ? { guess } : {}) },
  };
}
