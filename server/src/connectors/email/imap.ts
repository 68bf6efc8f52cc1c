/**
 * Receiving from an IMAP server: one connection a folder, IDLE where the server can, else asked every minute. A mail's
 * place is (UIDVALIDITY, UID); the cursor moves only when the mail is durable. With CONDSTORE a reconnect that finds the
 * folder's modification sequence unchanged looks no further.
 */
import type { ImapFlow } from 'imapflow';
import type { ConnectorContext, Kept, ReceiveContext, Spool } from '../connector.ts';
import { mailEvent } from './raw.ts';
import { reach, StepError, words } from './steps.ts';
import type { Stumbles } from './stumbles.ts';

export interface ImapAccess {
  host: string;
  port: number;
  /** TLS from the start on port 993, by STARTTLS elsewhere, where it is then required. */
  tls: boolean;
  user: string;
  password?: string | undefined;
  accessToken?: string | undefined;
}

/** How far a folder was read. */
export interface FolderCursor {
  uidValidity: string;
  uidNext: number;
  modseq?: string;
}

export type ImapCursor = Record<string, FolderCursor>;

const BATCH = 20;
/** Larger mails are fetched in pieces, each by itself. */
const LARGE = 1024 * 1024;
const CHUNK = 512 * 1024;
const POLL_MS = 60_000;
const DAY_MS = 86_400_000;
/** A server may drop an IDLE after 30 minutes (RFC 2177). */
const IDLE_MS = 28 * 60_000;

/** Signs in and opens every folder. Throws `StepError` naming the step. */
export async function testImap(access: ImapAccess, folders: string[], context: ConnectorContext): Promise<void> {
  const client = await openImap(access, context);
  try {
    for (const folder of folders) await select(client, folder, access);
  } finally {
    client.close();
  }
}

/** A signed-in connection. Throws `StepError` for dns, tcp, tls, login. */
export async function openImap(access: ImapAccess, context: ConnectorContext): Promise<ImapFlow> {
  const server = serverOf(access);
  const address = await reach(access.host, access.port, 'IMAP', context);
  const implicit = access.tls && access.port !== 143;
  // Loaded with the first IMAP mailbox: many installations have none.
  const { ImapFlow } = await import('imapflow');
  const client = new ImapFlow({
    host: address,
    port: access.port,
    secure: implicit,
    ...(implicit ? {} : { doSTARTTLS: access.tls }),
    ...(/^[\d.]+$|:/.test(access.host) ? {} : { servername: access.host }),
    auth: { user: access.user, ...(access.accessToken ? { accessToken: access.accessToken } : { pass: access.password ?? '' }) },
    logger: false,
    maxIdleTime: IDLE_MS,
    connectionTimeout: 15_000,
    greetingTimeout: 15_000,
    // Some servers answer with the whole mail when asked for a piece.
    maxLiteralSize: 100 * 1024 * 1024,
  });
  // Errors arrive as rejections of what runs, too; without a listener one of them would end the process.
  client.on('error', () => client.close());
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.close();
    const { authenticationFailed, responseText, serverResponseCode, code } = error as {
      authenticationFailed?: boolean;
      responseText?: string;
      serverResponseCode?: string;
      code?: string;
    };
    const detail = responseText ?? words(error);
    if (authenticationFailed) {
      const refused = serverResponseCode !== 'UNAVAILABLE' && !/temporar|try again|too many/i.test(detail);
      throw new StepError('login', server, detail, { refused, cause: error });
    }
    throw new StepError(/TLS|SSL|CERT|STARTTLS/i.test(`${code ?? ''} ${detail}`) ? 'tls' : 'tcp', server, detail, { cause: error });
  }
}

async function select(client: ImapFlow, folder: string, access: ImapAccess) {
  try {
    return await client.mailboxOpen(folder, { readOnly: true });
  } catch (error) {
    throw new StepError(
      'select',
      `${serverOf(access)} folder ${folder}`,
      (error as { responseText?: string }).responseText ?? words(error),
      { cause: error },
    );
  }
}

function serverOf(access: ImapAccess): string {
  return `IMAP ${access.host}:${access.port}`;
}

export interface FolderWatch {
  mailbox: string;
  folder: string;
  /** A folder that was never looked into is read from here; undefined: from now on. */
  since: Date | undefined;
  /** Waits between looks where the server has no IDLE. */
  pollMs?: number;
  load(): FolderCursor | undefined;
  save(cursor: FolderCursor): Promise<void>;
  deliver: ReceiveContext['deliver'];
  spool: Spool;
  stumbles: Stumbles;
  log: ConnectorContext['log'];
  wait(ms: number): Promise<unknown>;
  now(): Date;
  /** Called when the folder was read to its end. */
  caughtUp(): Promise<void>;
  signal: AbortSignal;
}

/** Reads a folder and whatever comes later, until the signal ends or the connection does (which throws). */
export async function watchFolder(access: ImapAccess, watch: FolderWatch, context: ConnectorContext): Promise<void> {
  const client = await openImap(access, context);
  const stop = () => client.close();
  watch.signal.addEventListener('abort', stop, { once: true });
  try {
    if (watch.signal.aborted) return;
    const opened = await select(client, watch.folder, access);
    const sent = opened.specialUse === '\\Sent' || (await isSent(client, watch.folder));
    let news = signalOf(client);
    for (let first = true; ; first = false) {
      await catchUp(client, watch, sent, first);
      await watch.caughtUp();
      if (client.capabilities.has('IDLE')) await news.next();
      else {
        await watch.wait(watch.pollMs ?? POLL_MS);
        await client.noop();
      }
      if (watch.signal.aborted) return;
      if (!client.usable) throw new StepError('tcp', serverOf(access), 'the connection ended');
      news = signalOf(client);
    }
  } catch (error) {
    if (watch.signal.aborted) return;
    throw error;
  } finally {
    watch.signal.removeEventListener('abort', stop);
    client.close();
  }
}

async function isSent(client: ImapFlow, folder: string): Promise<boolean> {
  const folders = await client.list();
  return folders.find((entry) => entry.path === folder)?.specialUse === '\\Sent';
}

/** Resolves once the folder has something new or the connection ends; made before reading, so that nothing falls between. */
function signalOf(client: ImapFlow): { next(): Promise<void> } {
  let ring: () => void = () => undefined;
  const rung = new Promise<void>((done) => {
    ring = done;
  });
  client.once('exists', ring);
  client.once('close', ring);
  return {
    async next() {
      // The library begins to IDLE by itself once nothing else runs; asking for it begins at once.
      const idling = client.idle().catch(() => false);
      await Promise.race([rung, idling]);
      client.off('exists', ring);
      client.off('close', ring);
    },
  };
}

async function catchUp(client: ImapFlow, watch: FolderWatch, sent: boolean, first: boolean): Promise<void> {
  const box = client.mailbox;
  if (!box) throw new Error('no folder is open');
  const uidValidity = String(box.uidValidity);
  const known = watch.load();
  let next = await placeIn(client, box.uidNext, known?.uidValidity === uidValidity, known, watch.since);
  const modseq = box.highestModseq === undefined ? undefined : String(box.highestModseq);
  // The sequence counts only for a folder that was read to its end.
  const cursor = (whole: boolean) => ({ uidValidity, uidNext: next, ...(whole && modseq ? { modseq } : {}) });
  if (known === undefined) await watch.save(cursor(false));
  if (first && modseq !== undefined && known?.modseq === modseq && known.uidValidity === uidValidity) return;

  const uids = await client.search({ uid: `${next}:*` }, { uid: true });
  const fresh = (uids || []).filter((uid) => uid >= next).sort((a, b) => a - b);
  for (let at = 0; at < fresh.length; ) {
    const batch = fresh.slice(at, at + (watch.stumbles.stumbled ? 1 : BATCH));
    const take = () => takeBatch(client, batch, watch, { uidValidity, sent });
    await watch.stumbles.over(`${watch.folder} ${uidValidity} ${batch[0]}`, watch.mailbox, watch, take);
    at += batch.length;
    next = batch.at(-1)! + 1;
    await watch.save(cursor(false));
  }
  await watch.save(cursor(true));
}

async function takeBatch(
  client: ImapFlow,
  batch: number[],
  watch: FolderWatch,
  { uidValidity, sent }: { uidValidity: string; sent: boolean },
): Promise<void> {
  const mails = await client.fetchAll(batch.join(','), { uid: true, size: true, internalDate: true, flags: true }, { uid: true });
  const wanted = mails.filter((mail) => !mail.flags?.has('\\Draft')).sort((a, b) => a.uid - b.uid);
  const small = wanted.filter((mail) => (mail.size ?? 0) <= LARGE).map(({ uid }) => uid);
  const sources = small.length > 0 ? await client.fetchAll(small.join(','), { uid: true, source: true }, { uid: true }) : [];
  for (const mail of wanted) {
    const received = mail.internalDate ? new Date(mail.internalDate) : watch.now();
    const source = small.includes(mail.uid) ? sources.find(({ uid }) => uid === mail.uid)?.source : undefined;
    const kept = small.includes(mail.uid) ? source : await download(client, mail.uid, watch.spool);
    // Removed between the look and the fetch.
    if (!kept) continue;
    await watch.deliver([
      mailEvent(watch.mailbox, kept, {
        receivedAt: received.toISOString(),
        folder: watch.folder,
        uid: mail.uid,
        uidValidity,
        ...(sent ? { sent: true } : {}),
      }),
    ]);
  }
}

/** A mail, in pieces; undefined when it was removed meanwhile. */
async function download(client: ImapFlow, uid: number, spool: Spool): Promise<Kept | undefined> {
  const { content } = await client.download(String(uid), undefined, { uid: true, chunkSize: CHUNK });
  return content && spool.keep(content as AsyncIterable<Buffer>);
}

/**
 * Where to read on. A folder that was numbered anew is read as one that was never looked into (from its start where nobody
 * knows since when mail counts): ids keep what shows already from showing twice.
 */
async function placeIn(
  client: ImapFlow,
  uidNext: number,
  sameNumbers: boolean,
  known: FolderCursor | undefined,
  since: Date | undefined,
): Promise<number> {
  if (known && sameNumbers) return known.uidNext;
  return known && !since ? 1 : firstUid(client, uidNext, since);
}

/** The first mail that came since a time; the next one to come when there is none. SEARCH knows days only. */
async function firstUid(client: ImapFlow, uidNext: number, since: Date | undefined): Promise<number> {
  if (!since) return uidNext;
  const uids = await client.search({ since: new Date(since.getTime() - DAY_MS) }, { uid: true });
  let first = uidNext;
  if (!uids || uids.length === 0) return first;
  for await (const mail of client.fetch(uids.join(','), { uid: true, internalDate: true }, { uid: true })) {
    if (mail.internalDate && new Date(mail.internalDate) >= since) first = Math.min(first, mail.uid);
  }
  return first;
}
