/** Gmail and Google Workspace mailboxes: OAuth, sending in the thread, receiving by history. */
import { PatchbayError, ProviderError } from '../../model/errors.ts';
import { buildMail } from './build.ts';
import { consentBy } from './consent.ts';
import { gmailOf, googleClient, notOffered } from './gmail.ts';
import { receiveGoogle } from './google-receive.ts';
import { type MailboxKind, receiptFor } from './kind.ts';
import { messageIdOf, readMessageId } from './message-id.ts';

/** Larger mails go to the upload address. */
const ONE_REQUEST = 3_500_000;
const BOUNDARY = 'patchbay-gmail-upload';

export const google: MailboxKind = {
  async test(mailbox, context) {
    // Names the variable when neither the channel nor the installation has a client.
    const client = googleClient(mailbox, context);
    if (!client.clientSecret)
      throw new PatchbayError('invalid', 'The OAuth client secret is missing.', {
        problems: [{ field: 'client_secret', message: 'is required' }],
      });
    const profile = await gmailOf(mailbox, context)('/profile').catch(notOffered);
    const { emailAddress } = (profile?.json() ?? {}) as { emailAddress?: string };
    const other = emailAddress && emailAddress.toLowerCase() !== mailbox.sourceChannelId;
    return {
      status: other ? 'warning' : 'active',
      ...(other ? { reason: `Access was granted for ${emailAddress}, not for ${mailbox.sourceChannelId}.` } : {}),
      details: { receives: true, account: emailAddress ?? null, push: Boolean(mailbox.settings.topic) },
    };
  },

  async send(message, mailbox, context) {
    const gmail = gmailOf(mailbox, context);
    const mail = await buildMail(message, mailbox, context);
    const known = message.thread?.data?.gmailThreadId;
    const threadId = typeof known === 'string' && mail.references.length > 1 ? known : undefined;
    const answer = await post(mail.raw, threadId, gmail).catch((error: unknown) => {
      // The thread was deleted: the mail still finds its place by its References.
      if (threadId && error instanceof ProviderError && error.status === 404) return post(mail.raw, undefined, gmail);
      throw error;
    });
    const sent = answer.json() as { id: string; threadId: string };
    const providerId = await messageIdAt(sent.id, gmail).catch(() => undefined);
    return receiptFor(mail, {
      providerId: providerId ?? mail.messageId,
      details: { gmailId: sent.id, gmailThreadId: sent.threadId },
      threadData: { gmailThreadId: sent.threadId },
    });
  },

  async settle(message, mailbox, context) {
    const gmail = gmailOf(mailbox, context);
    const ours = messageIdOf(message.id, mailbox.sourceChannelId);
    const { messages } = (await gmail(`/messages?q=${encodeURIComponent(`rfc822msgid:${ours}`)}&includeSpamTrash=true`)).json() as {
      messages?: { id: string }[];
    };
    // Gmail may have given the mail another Message-ID; its copy in the Sent folder carries our mark and settles it.
    return messages?.[0] ? { outcome: 'accepted', providerId: ours, state: 'sent' } : { outcome: 'unknown' };
  },

  receive: receiveGoogle,

  async disconnect(mailbox, context) {
    if (mailbox.settings.topic) await gmailOf(mailbox, context)('/stop', { method: 'POST', safe: true });
  },

  consent: consentBy(googleClient, () => google),
};

function post(raw: Buffer, threadId: string | undefined, gmail: ReturnType<typeof gmailOf>) {
  const thread = threadId ? { threadId } : {};
  if (raw.length <= ONE_REQUEST) return gmail('/messages/send', { method: 'POST', json: { raw: raw.toString('base64url'), ...thread } });
  const body = Buffer.concat([
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(thread)}\r\n--${BOUNDARY}\r\nContent-Type: message/rfc822\r\n\r\n`,
    ),
    raw,
    Buffer.from(`\r\n--${BOUNDARY}--`),
  ]);
  return gmail('/upload/gmail/v1/users/me/messages/send?uploadType=multipart', {
    method: 'POST',
    body,
    contentType: `multipart/related; boundary=${BOUNDARY}`,
  });
}

async function messageIdAt(gmailId: string, gmail: ReturnType<typeof gmailOf>): Promise<string | undefined> {
  const answer = await gmail(`/messages/${encodeURIComponent(gmailId)}?format=metadata&metadataHeaders=Message-ID`);
  const { payload } = answer.json() as { payload?: { headers?: { name: string; value: string }[] } };
  return readMessageId(payload?.headers?.find((header) => header.name.toLowerCase() === 'message-id')?.value);
}
