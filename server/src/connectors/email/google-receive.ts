/**
 * What is new in a Gmail mailbox: the history since the last look, asked for again and again, or when Pub/Sub wakes us.
 * A history that is gone (404) starts over from the mails since a day before the last look.
 */
import { ProviderError } from '../../model/errors.ts';
import { type Gmail, gmailOf, notOffered } from './gmail.ts';
import { type RawMessage, readRawMessage } from './gmail-raw.ts';
import type { Listening } from './kind.ts';
import { connectedSince, keepTrying, pause, reporter } from './listening.ts';
import { mailEvent } from './raw.ts';
import type { Mailbox } from './settings.ts';
import { Stumbles } from './stumbles.ts';

const DAY_MS = 86_400_000;
const POLL_MS = 15_000;
/** With pushes we only look for what they may have missed. */
const CHECK_MS = 60_000;
const MAX_MAIL = 200 * 1024 * 1024;
const FETCH_MS = 10 * 60_000;
const NOT_MAIL = ['DRAFT', 'SPAM', 'TRASH', 'CHAT'];

interface Cursor {
  historyId?: string;
  /** ISO time of the newest look. */
  seen?: string;
  /** ISO time at which the watch is asked for again. */
  watchAt?: string;
}

/** Runs until the signal ends. */
export async function receiveGoogle(mailbox: Mailbox, context: Listening): Promise<void> {
  const cursor = ((await context.cursor.load()) ?? {}) as Cursor;
  const stumbles = new Stumbles();
  await keepTrying(context, reporter(context), async (well) => {
    while (!context.signal.aborted) {
      const gmail = gmailOf(mailbox, context);
      const watched = await watch(mailbox, gmail, cursor, context);
      await look(mailbox, gmail, cursor, context, stumbles);
      await well();
      await pause(context, watched ? CHECK_MS : POLL_MS);
    }
  });
}

/** Asks for pushes once a day (a watch ends after seven); true while there is one. */
async function watch(mailbox: Mailbox, gmail: Gmail, cursor: Cursor, context: Listening): Promise<boolean> {
  if (!mailbox.settings.topic) return false;
  if (cursor.watchAt && Date.parse(cursor.watchAt) > context.now().getTime()) return true;
  try {
    const answer = await gmail('/watch', { method: 'POST', json: { topicName: mailbox.settings.topic }, safe: true });
    const { expiration } = answer.json() as { expiration?: string };
    const now = context.now().getTime();
    const ends = Number(expiration) || now + 7 * DAY_MS;
    cursor.watchAt = new Date(now + Math.min(DAY_MS, Math.max(ends - now, 0) / 2)).toISOString();
    return true;
  } catch (error) {
    // Also when the topic alone is forbidden; when all is, the look that follows says so.
    if (!(error instanceof ProviderError)) throw error;
    context.log.warn({ code: error.code }, `no pushes, the mailbox is asked instead: ${error.message}`);
    return false;
  }
}

async function look(mailbox: Mailbox, gmail: Gmail, cursor: Cursor, context: Listening, stumbles: Stumbles): Promise<void> {
  const started = context.now();
  const since = connectedSince(mailbox);
  if (!cursor.historyId) {
    if (since) await resync(mailbox, gmail, cursor, context, stumbles, since);
    else moveTo(cursor, await newestHistory(gmail));
  } else {
    try {
      await followHistory(mailbox, gmail, cursor, context, stumbles);
    } catch (error) {
      if (!(error instanceof ProviderError) || error.status !== 404) throw error;
      context.log.warn({}, 'the history is gone; reading the newest mails anew');
      await resync(
        mailbox,
        gmail,
        cursor,
        context,
        stumbles,
        new Date((cursor.seen ? Date.parse(cursor.seen) : started.getTime()) - DAY_MS),
      );
    }
  }
  cursor.seen = started.toISOString();
  await context.cursor.save(cursor);
}

/** Undefined where a stand-in does not tell it: then the mailbox is looked through each time. */
async function newestHistory(gmail: Gmail): Promise<string | undefined> {
  const profile = await gmail('/profile').catch(notOffered);
  return profile && String((profile.json() as { historyId: string }).historyId);
}

interface HistoryPage {
  history?: { id: string; messagesAdded?: { message: { id: string; labelIds?: string[] } }[] }[];
  nextPageToken?: string;
  historyId?: string;
}

async function followHistory(mailbox: Mailbox, gmail: Gmail, cursor: Cursor, context: Listening, stumbles: Stumbles): Promise<void> {
  const start = cursor.historyId!;
  let newest = start;
  let pageToken: string | undefined;
  const done = new Set<string>();
  do {
    const query = new URLSearchParams({
      startHistoryId: start,
      historyTypes: 'messageAdded',
      maxResults: '500',
      ...(pageToken ? { pageToken } : {}),
    });
    const page = (await gmail(`/history?${query}`)).json() as HistoryPage;
    for (const record of page.history ?? []) {
      for (const { message } of record.messagesAdded ?? []) {
        if (done.has(message.id) || message.labelIds?.some((label) => NOT_MAIL.includes(label))) continue;
        done.add(message.id);
        await stumbles.over(message.id, mailbox.sourceChannelId, context, () => fetchMail(message.id, mailbox, gmail, context));
        if (context.signal.aborted) return;
      }
      cursor.historyId = String(record.id);
      await context.cursor.save(cursor);
    }
    newest = page.historyId ? String(page.historyId) : newest;
    pageToken = page.nextPageToken;
  } while (pageToken);
  cursor.historyId = newest;
}

/** Everything since a time, oldest first; Message-IDs keep it from showing twice. */
async function resync(mailbox: Mailbox, gmail: Gmail, cursor: Cursor, context: Listening, stumbles: Stumbles, from: Date): Promise<void> {
  const newest = await newestHistory(gmail);
  const since = Math.floor(from.getTime() / 1000);
  const ids: string[] = [];
  let pageToken: string | undefined;
  do {
    const query = new URLSearchParams({ q: `after:${since} -in:chats -in:drafts`, maxResults: '500', ...(pageToken ? { pageToken } : {}) });
    const page = (await gmail(`/messages?${query}`)).json() as { messages?: { id: string }[]; nextPageToken?: string };
    ids.push(...(page.messages ?? []).map((message) => message.id));
    pageToken = page.nextPageToken;
  } while (pageToken);
  for (const id of ids.reverse()) {
    await stumbles.over(id, mailbox.sourceChannelId, context, () => fetchMail(id, mailbox, gmail, context));
    if (context.signal.aborted) return;
  }
  moveTo(cursor, newest);
}

function moveTo(cursor: Cursor, historyId: string | undefined): void {
  if (historyId === undefined) delete cursor.historyId;
  else cursor.historyId = historyId;
}

async function fetchMail(id: string, mailbox: Mailbox, gmail: Gmail, context: Listening): Promise<void> {
  let mail: RawMessage | undefined;
  try {
    await gmail(`/messages/${encodeURIComponent(id)}?format=raw`, {
      maxBytes: MAX_MAIL,
      timeoutMs: FETCH_MS,
      into: async (body) => {
        mail = await readRawMessage(body, context.spool);
      },
    });
  } catch (error) {
    if (!(error instanceof ProviderError && error.status === 404)) throw error;
    context.log.warn({ gmailId: id }, 'a mail was deleted before it could be fetched');
    return;
  }
  if (!mail || mail.labelIds?.some((label) => NOT_MAIL.includes(label))) return;
  await context.deliver([
    mailEvent(mailbox.sourceChannelId, mail.raw, {
      receivedAt: new Date(Number(mail.internalDate) || context.now().getTime()).toISOString(),
      gmailId: id,
      ...(mail.threadId ? { gmailThreadId: mail.threadId } : {}),
      ...(mail.labelIds?.includes('SENT') && !mail.labelIds.includes('INBOX') ? { sent: true } : {}),
    }),
  ]);
}
