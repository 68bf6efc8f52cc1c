/** Mailboxes made with a test key: mails are built as real ones are, and nothing leaves or is fetched. */
import { buildMail } from './build.ts';
import { type MailboxKind, receiptFor } from './kind.ts';
import { ended } from './listening.ts';

export const simulated: MailboxKind = {
  async test() {
    return { status: 'active', details: { receives: true, simulated: true } };
  },
  async send(message, mailbox, context) {
    return receiptFor(await buildMail(message, mailbox, context));
  },
  async settle() {
    return { outcome: 'never-received' };
  },
  receive: (_mailbox, context) => ended(context.signal),
};
