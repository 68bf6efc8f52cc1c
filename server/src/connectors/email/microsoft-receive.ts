/**
 * What is new in a Microsoft 365 mailbox. The delta query is the truth; a subscription only wakes us sooner. Lost
 * subscriptions are made anew, expired delta links start over from a day before the last look: Message-IDs keep
 * anything from showing twice.
 */
import { createHash } from 'node:crypto';
import { ProviderError } from '../../model/errors.ts';
import type { ConnectorContext, Kept } from '../connector.ts';
import { type Graph, graphOf, userPath } from './graph.ts';
import type { Listening } from './kind.ts';
import { connectedSince, keepTrying, pause, reporter } from './listening.ts';
import { base } from './oauth.ts';
import { mailEvent } from './raw.ts';
import type { Mailbox } from './settings.ts';
import { Stumbles } from './stumbles.ts';

const DAY_MS = 86_400_000;
const POLL_MS = 15_000;
/** With a subscription we only look for what its notifications may have missed. */
const CHECK_MS = 60_000;
/** Asked for; what the server grants counts. */
const LIFETIME_MS = 4_200 * 60_000;
const MAX_MAIL = 160 * 1024 * 1024;
const FETCH_MS = 10 * 60_000;

interface Cursor {
  /** By folder. */
  delta?: Record<string, string>;
  /** ISO time of the newest look, from which a lost delta starts over. */
  seen?: string;
  subscriptions?: Record<string, Subscription>;
}

interface Subscription {
  id: string;
  /** A digest of the `clientState` that its notifications bring. */
  secret: string;
  renewAt: string;
  expiresAt: string;
}

/** Where Microsoft's notifications about a mailbox go; the mailbox in the address is checked against `clientState`. */
export function notificationUrl(mailbox: Mailbox, context: Pick<ConnectorContext, 'config'>): string {
  return `${context.config.publicUrl.replace(/\/+$/, '')}/hooks/microsoft?mailbox=${encodeURIComponent(mailbox.sourceChannelId)}`;
}

/** Runs until the signal ends. */
export async function receiveMicrosoft(mailbox: Mailbox, context: Listening): Promise<void> {
  const cursor = ((await context.cursor.load()) ?? {}) as Cursor;
  const report = reporter(context);
  const stumbles = new Stumbles();
  await keepTrying(context, report, async (well) => {
    let reasons: string[] = [];
    while (!context.signal.aborted) {
      const graph = graphOf(mailbox, context);
      for (const folder of foldersOf(mailbox)) {
        // A subscription that is made before the look misses nothing between the two.
        const subscribed = await subscribe(folder, mailbox, graph, cursor, context, reasons);
        await look(folder, mailbox, graph, cursor, context, stumbles);
        if (subscribed === undefined) delete cursor.subscriptions?.[folder];
      }
      await context.cursor.save(cursor);
      await well();
      reasons = await pause(context, untilNextLook(cursor, context));
    }
  });
}

function foldersOf(mailbox: Mailbox): string[] {
  return mailbox.settings.folders?.length ? mailbox.settings.folders : ['inbox'];
}

function untilNextLook(cursor: Cursor, context: Listening): number {
  const renewals = Object.values(cursor.subscriptions ?? {}).map(
    (subscription) => Date.parse(subscription.renewAt) - context.now().getTime(),
  );
  return renewals.length === 0 ? POLL_MS : Math.max(1_000, Math.min(CHECK_MS, ...renewals));
}

/** Everything new in one folder, page by page; the cursor moves behind what is durable. */
async function look(folder: string, mailbox: Mailbox, graph: Graph, cursor: Cursor, context: Listening, stumbles: Stumbles): Promise<void> {
  cursor.delta ??= {};
  const started = context.now();
  let link: string | undefined = cursor.delta[folder] ?? freshDelta(folder, mailbox, connectedSince(mailbox) ?? started);
  for (let restarted = false; link && !context.signal.aborted; ) {
    let page: DeltaPage;
    try {
      page = (await graph(link, { headers: { prefer: 'IdType="ImmutableId", odata.maxpagesize=50' } })).json() as DeltaPage;
    } catch (error) {
      const gone =
        error instanceof ProviderError && (error.status === 410 || error.code === 'SyncStateNotFound' || error.code === 'resyncRequired');
      if (!gone || restarted) throw error;
      restarted = true;
      context.log.warn({ folder }, 'the delta link has expired; reading the folder anew');
      link = freshDelta(folder, mailbox, cursor.seen ? new Date(Date.parse(cursor.seen) - DAY_MS) : (connectedSince(mailbox) ?? started));
      continue;
    }
    for (const item of page.value ?? []) {
      await stumbles.over(item.id, mailbox.sourceChannelId, context, () => fetchMail(item, folder, mailbox, graph, context));
    }
    link = page['@odata.nextLink'];
    cursor.delta[folder] = link ?? page['@odata.deltaLink'] ?? '';
    await context.cursor.save(cursor);
  }
  cursor.seen = started.toISOString();
}

interface DeltaPage {
  value?: { id: string; receivedDateTime?: string; isDraft?: boolean; '@removed'?: unknown }[];
  '@odata.nextLink'?: string;
  '@odata.deltaLink'?: string;
}

function freshDelta(folder: string, mailbox: Mailbox, since: Date): string {
  const filter = encodeURIComponent(`receivedDateTime ge ${since.toISOString()}`);
  return `${userPath(mailbox)}/mailFolders/${encodeURIComponent(folder)}/messages/delta?changeType=created&$select=id,receivedDateTime,isDraft&$filter=${filter}`;
}

async function fetchMail(
  item: NonNullable<DeltaPage['value']>[number],
  folder: string,
  mailbox: Mailbox,
  graph: Graph,
  context: Listening,
): Promise<void> {
  if (item['@removed'] !== undefined || item.isDraft) return;
  try {
    let mail: Kept | undefined;
    await graph(`${userPath(mailbox)}/messages/${encodeURIComponent(item.id)}/$value`, {
      maxBytes: MAX_MAIL,
      timeoutMs: FETCH_MS,
      into: async (body) => {
        mail = await context.spool.keep(body);
      },
    });
    if (!mail) return;
    await context.deliver([
      mailEvent(mailbox.sourceChannelId, mail, {
        receivedAt: item.receivedDateTime ?? context.now().toISOString(),
        folder,
        graphId: item.id,
        ...(folder.toLowerCase() === 'sentitems' ? { sent: true } : {}),
      }),
    ]);
  } catch (error) {
    // Deleted between the list and the fetch: there is nothing left to show.
    if (!(error instanceof ProviderError && error.status === 404)) throw error;
    context.log.warn({ graphId: item.id }, 'a mail was deleted before it could be fetched');
  }
}

/** A living subscription of the folder, or undefined where there can be none (no public HTTPS address, or refused). */
async function subscribe(
  folder: string,
  mailbox: Mailbox,
  graph: Graph,
  cursor: Cursor,
  context: Listening,
  reasons: string[],
): Promise<Subscription | undefined> {
  const url = notificationUrl(mailbox, context);
  const real = base(context.config, 'MICROSOFT_GRAPH_URL', 'https://graph.microsoft.com') === 'https://graph.microsoft.com';
  if ((real && !url.startsWith('https://')) || !mailbox.credentials.client_state) return undefined;
  cursor.subscriptions ??= {};
  const known = cursor.subscriptions[folder];
  const secret = digestOf(mailbox.credentials.client_state);
  // One whose notifications we would refuse is of no use.
  const lost = reasons.includes('subscriptionRemoved') || known?.secret !== secret;
  const due = !known || reasons.includes('reauthorizationRequired') || Date.parse(known.renewAt) <= context.now().getTime();
  if (known && !lost && !due) return known;
  try {
    const subscription = (known && !lost && (await renew(known, graph, context))) || (await create(folder, url, mailbox, graph, context));
    cursor.subscriptions[folder] = subscription;
    return subscription;
  } catch (error) {
    // Also when subscriptions alone are forbidden; when all is, the look that follows says so.
    if (!(error instanceof ProviderError)) throw error;
    context.log.warn({ folder, code: error.code }, `no notifications, the mailbox is asked instead: ${error.message}`);
    return undefined;
  }
}

async function renew(known: Subscription, graph: Graph, context: ConnectorContext): Promise<Subscription | undefined> {
  try {
    const answer = await graph(`/subscriptions/${encodeURIComponent(known.id)}`, {
      method: 'PATCH',
      json: { expirationDateTime: wanted(context) },
      safe: true,
    });
    return subscriptionOf(answer.json(), known.secret, context);
  } catch (error) {
    if (error instanceof ProviderError && error.status === 404) return undefined;
    throw error;
  }
}

async function create(folder: string, url: string, mailbox: Mailbox, graph: Graph, context: ConnectorContext): Promise<Subscription> {
  const answer = await graph('/subscriptions', {
    method: 'POST',
    safe: true,
    json: {
      changeType: 'created',
      notificationUrl: url,
      lifecycleNotificationUrl: url,
      resource: `${userPath(mailbox)}/mailFolders('${folder}')/messages`,
      expirationDateTime: wanted(context),
      clientState: mailbox.credentials.client_state,
    },
  });
  return subscriptionOf(answer.json(), digestOf(mailbox.credentials.client_state), context);
}

function digestOf(clientState: string | undefined): string {
  return createHash('sha256')
    .update(clientState ?? '')
    .digest('hex')
    .slice(0, 16);
}

function wanted(context: ConnectorContext): string {
  return new Date(context.now().getTime() + LIFETIME_MS).toISOString();
}

/** Renewed when half of what the server granted is over. */
function subscriptionOf(json: unknown, secret: string, context: ConnectorContext): Subscription {
  const { id, expirationDateTime } = json as { id: string; expirationDateTime: string };
  const now = context.now().getTime();
  const expires = Date.parse(expirationDateTime);
  return { id, secret, expiresAt: new Date(expires).toISOString(), renewAt: new Date(now + Math.max(expires - now, 0) / 2).toISOString() };
}
