/**
 * Microsoft 365 mailboxes by Graph: as an app (client credentials) or for a person who consented. Sending goes by a
 * draft, so that its id and Message-ID are known before the mail leaves and an attempt without an answer can be settled.
 */
import { randomBytes } from 'node:crypto';
import { PatchbayError, ProviderError } from '../../model/errors.ts';
import type { ConnectorContext, OutboundMessage } from '../connector.ts';
import { type BuiltMail, buildMail } from './build.ts';
import { consentBy } from './consent.ts';
import { type Graph, graphOf, microsoftClient, notOffered, userPath } from './graph.ts';
import { type MailboxKind, receiptFor } from './kind.ts';
import { readMessageId } from './message-id.ts';
import { notificationUrl, receiveMicrosoft } from './microsoft-receive.ts';
import type { Mailbox } from './settings.ts';

/** A mail of this size is too large for one request (base64 makes it a third larger; the limit is 4 MB). */
const ONE_REQUEST = 2_800_000;
const CHUNK = 12 * 327_680;
const DRAFT_DAYS = 7;

interface Draft {
  id: string;
  messageId: string;
}

export const microsoft: MailboxKind = {
  async test(mailbox, context) {
    if (!mailbox.settings.client_id) throw missing('client_id', "The app's client id is missing.");
    if (!mailbox.settings.tenant_id && !mailbox.credentials.refresh_token)
      throw missing('tenant_id', "The directory's tenant id is missing.");
    await graphOf(mailbox, context)(`${userPath(mailbox)}/mailFolders/inbox?$select=id,totalItemCount`).catch(notOffered);
    return { status: 'active', details: { receives: true, access: mailbox.credentials.refresh_token ? 'delegated' : 'app' } };
  },

  async send(message, mailbox, context) {
    const graph = graphOf(mailbox, context);
    const mail = await buildMail(message, mailbox, context);
    const draft = (await keptDraft(message, context)) ?? (await createDraft(mail, message, mailbox, graph, context).catch(noDrafts));
    if (!draft) {
      await graph(`${userPath(mailbox)}/sendMail`, { method: 'POST', body: mail.raw.toString('base64'), contentType: 'text/plain' });
      return receiptFor(mail);
    }
    await graph(`${userPath(mailbox)}/messages/${encodeURIComponent(draft.id)}/send`, { method: 'POST' });
    return receiptFor(mail, { providerId: draft.messageId, details: { graphId: draft.id } });
  },

  async settle(message, mailbox, context) {
    const draft = await keptDraft(message, context);
    if (!draft) return { outcome: 'never-received' };
    try {
      const answer = await graphOf(mailbox, context)(`${userPath(mailbox)}/messages/${encodeURIComponent(draft.id)}?$select=id,isDraft`);
      const { isDraft } = answer.json() as { isDraft?: boolean };
      return isDraft ? { outcome: 'never-received' } : { outcome: 'accepted', providerId: draft.messageId, state: 'sent' };
    } catch (error) {
      if (error instanceof ProviderError && error.status === 404) return { outcome: 'unknown' };
      throw error;
    }
  },

  receive: receiveMicrosoft,

  async disconnect(mailbox, context) {
    const graph = graphOf(mailbox, context);
    const url = notificationUrl(mailbox, context);
    const answer = await graph('/subscriptions');
    const { value = [] } = (answer.json() ?? {}) as { value?: { id: string; notificationUrl?: string }[] };
    for (const subscription of value.filter((candidate) => candidate.notificationUrl === url)) {
      await graph(`/subscriptions/${encodeURIComponent(subscription.id)}`, { method: 'DELETE', safe: true });
    }
  },

  consent: consentBy(microsoftClient, () => microsoft),
};

/** The secret that notifications must bring back, made once. */
export function withClientState(credentials: Mailbox['credentials']): Mailbox['credentials'] {
  return { ...credentials, client_state: credentials.client_state ?? randomBytes(32).toString('base64url') };
}

function missing(field: string, message: string): PatchbayError {
  return new PatchbayError('invalid', message, { problems: [{ field, message: 'is required' }] });
}

/** An app that may send and nothing else has no drafts: the mail is handed over whole. */
function noDrafts(error: unknown): undefined {
  const forbidden = error instanceof ProviderError && error.status === 403 && error.code === 'ErrorAccessDenied';
  if (!forbidden) notOffered(error);
}

async function keptDraft(message: OutboundMessage, context: ConnectorContext): Promise<Draft | undefined> {
  return (await context.memo.get(`draft:${message.id}`)) as Draft | undefined;
}

/** Writes the mail into the Drafts folder and remembers it before anything is sent. */
async function createDraft(
  mail: BuiltMail,
  message: OutboundMessage,
  mailbox: Mailbox,
  graph: Graph,
  context: ConnectorContext,
): Promise<Draft> {
  const whole = mail.raw.length <= ONE_REQUEST;
  const small = whole ? mail : await buildMail(message, mailbox, context, { withoutFiles: true });
  const answer = await graph(`${userPath(mailbox)}/messages`, {
    method: 'POST',
    body: small.raw.toString('base64'),
    contentType: 'text/plain',
    safe: true,
  });
  const created = answer.json() as { id: string; internetMessageId?: string };
  if (!whole) for (const file of mail.files) await attach(file, created.id, mailbox, graph, context);
  const draft = { id: created.id, messageId: readMessageId(created.internetMessageId) ?? mail.messageId };
  await context.memo.set(`draft:${message.id}`, draft, DRAFT_DAYS * 86_400);
  return draft;
}

/** Files of any size by an upload session, in ranges of at most 4 MB. */
async function attach(
  file: BuiltMail['files'][number],
  draftId: string,
  mailbox: Mailbox,
  graph: Graph,
  context: ConnectorContext,
): Promise<void> {
  const path = `${userPath(mailbox)}/messages/${encodeURIComponent(draftId)}/attachments`;
  if (file.content.length < ONE_REQUEST) {
    await graph(path, {
      method: 'POST',
      safe: true,
      json: {
        '@odata.type': '#microsoft.graph.fileAttachment',
        name: file.filename,
        contentType: file.contentType,
        contentBytes: file.content.toString('base64'),
        ...(file.cid ? { isInline: true, contentId: file.cid } : {}),
      },
    });
    return;
  }
  const session = await graph(`${path}/createUploadSession`, {
    method: 'POST',
    safe: true,
    json: { AttachmentItem: { attachmentType: 'file', name: file.filename, contentType: file.contentType, size: file.content.length } },
  });
  const { uploadUrl } = session.json() as { uploadUrl: string };
  for (let at = 0; at < file.content.length; at += CHUNK) {
    const part = file.content.subarray(at, at + CHUNK);
    const answer = await context.http(uploadUrl, {
      method: 'PUT',
      body: part,
      headers: {
        'content-type': 'application/octet-stream',
        'content-range': `bytes ${at}-${at + part.length - 1}/${file.content.length}`,
      },
      timeoutMs: 120_000,
    });
    if (answer.status >= 300)
      throw new ProviderError('retry', `Microsoft did not take the file ${file.filename} (${answer.status}).`, { status: answer.status });
  }
}
