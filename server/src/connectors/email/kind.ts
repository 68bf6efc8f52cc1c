/** One kind of mailbox: what differs between the built-in server, Microsoft 365, Gmail and somebody's own server. */
import type {
  ConnectorContext,
  ConsentOperations,
  HealthReport,
  OutboundMessage,
  ReceiveContext,
  SendReceipt,
  Settlement,
} from '../connector.ts';
import type { BuiltMail } from './build.ts';
import type { Mailbox, MailCredentials, MailSettings } from './settings.ts';

export type Listening = ConnectorContext & ReceiveContext;

export interface MailboxKind {
  /**
   * Walks the whole path: sign-in, reading, sending. Throws `ProviderError` for what the provider refuses,
   * `PatchbayError` (`invalid`) for fields that are missing; a server that cannot be reached is a `warning` with its
   * reason.
   */
  test(mailbox: Mailbox, context: ConnectorContext): Promise<HealthReport>;
  send(message: OutboundMessage, mailbox: Mailbox, context: ConnectorContext): Promise<SendReceipt>;
  settle?(message: OutboundMessage, mailbox: Mailbox, context: ConnectorContext): Promise<Settlement>;
  receive?(mailbox: Mailbox, context: Listening): Promise<void>;
  disconnect?(mailbox: Mailbox, context: ConnectorContext): Promise<void>;
  /** Absent: there is nothing to grant in a browser. */
  consent?: ConsentOperations<MailSettings, MailCredentials>;
}

/** The receipt of a mail that was taken, with what the conversation's next mail refers to. */
export function receiptFor(
  mail: BuiltMail,
  extra: { providerId?: string; details?: Record<string, unknown>; threadData?: Record<string, unknown> } = {},
): SendReceipt {
  const providerId = extra.providerId ?? mail.messageId;
  return {
    providerId,
    payload: { messageId: providerId, subject: mail.subject, envelope: mail.envelope, bytes: mail.raw.length },
    ...(extra.details ? { details: extra.details } : {}),
    threadData: {
      references: [...mail.references.slice(0, -1), providerId],
      last: { id: providerId },
      ...extra.threadData,
    },
  };
}
