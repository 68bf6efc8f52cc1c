/**
 * Some providers repeat to us what we send, perhaps without our id and before their answer to the call. Such an echo
 * belongs to the message that is under way, and is never a second one. What somebody else wrote in our account's name
 * (in the provider's own inbox, or another workspace that has the same account) stays a message of its own.
 */
import type { Connector } from '../connectors/connector.ts';
import type { MessageEvent } from '../connectors/events.ts';
import type { Content } from '../model/content.ts';
import type { Client } from '../store/database.ts';
import { findUnderWay, ownMessages } from '../store/echoes-sql.ts';
import type { NewEvent } from '../store/ingest-sql.ts';
import { goOn, keepPart, knownProviderIds } from '../store/message-parts.ts';
import type { Inbound } from './apply.ts';

type Echo = Inbound & { event: MessageEvent };

/** Our message that an echo is of; with `part`, of a part that others follow. */
interface Claim {
  messageId: string;
  part?: number;
}

/** The batch, with every echo of our own marked as such and led to its message. Echoes of parts are dealt with here; `log` tells of it. */
export async function claimEchoes(client: Client, batch: Inbound[], log: NewEvent[]): Promise<Inbound[]> {
  const echoes = batch.filter((inbound): inbound is Echo => inbound.event.kind === 'message' && inbound.event.direction === 'out');
  if (echoes.length === 0) return batch;
  const claims = await named(client, echoes);
  const dealtWith = new Set<Inbound>();
  // One that comes late, of a message whose id is known by now, must not be taken for the next that is under way.
  for (const echo of echoes) if (await isKnown(client, echo, claims.get(echo))) dealtWith.add(echo);
  await findRest(
    client,
    echoes.filter((echo) => !claims.has(echo) && !dealtWith.has(echo) && !echo.event.own && !echo.route.connector.repeatsOthersOnly),
    claims,
  );
  for (const echo of echoes) {
    const claim = claims.get(echo);
    if (claim?.part !== undefined) await notePart(client, echo, claim.messageId, claim.part, log);
    // Asked again: the answer to the call may have been written down since.
    if (claim?.part !== undefined || (await isKnown(client, echo, claim))) dealtWith.add(echo);
  }
  return batch.flatMap((inbound) => {
    if (dealtWith.has(inbound)) return [];
    const claim = claims.get(inbound as Echo);
    if (claim) return [{ ...inbound, event: { ...(inbound.event as MessageEvent), own: true, ourId: claim.messageId } }];
    if (inbound.event.kind !== 'message' || inbound.event.direction === 'in') return [inbound];
    const { ourId: _anothers, ourPart: _part, ...event } = inbound.event;
    return [{ ...inbound, event }];
  });
}

/** Echoes that name a message of this workspace. */
async function named(client: Client, echoes: Echo[]): Promise<Map<Inbound, Claim>> {
  const naming = echoes.filter(({ event }) => event.ourId);
  const claims = new Map<Inbound, Claim>();
  if (naming.length === 0) return claims;
  const keyOf = ({ route, event }: Echo) => ({ workspaceId: route.workspaceId, messageId: event.ourId! });
  const ours = await ownMessages(client, naming.map(keyOf));
  for (const echo of naming) {
    const { workspaceId, messageId } = keyOf(echo);
    if (!ours.has(`${workspaceId} ${messageId}`)) continue;
    claims.set(echo, { messageId, ...(echo.event.ourPart === undefined ? {} : { part: echo.event.ourPart }) });
  }
  return claims;
}

/** Echoes without our id: of the messages that are under way to the same reader, the first that says the same. */
async function findRest(client: Client, echoes: Echo[], claims: Map<Inbound, Claim>): Promise<void> {
  if (echoes.length === 0) return;
  const underWay = await findUnderWay(
    client,
    echoes.map(({ event, route }, n) => ({
      n,
      workspaceId: route.workspaceId,
      channelId: route.channelId,
      addresses: event.contact.identities.map(({ value }) => value),
      at: event.sentAt ?? null,
    })),
  );
  const taken = new Set([...claims.values()].map(({ messageId, part }) => `${messageId} ${part}`));
  for (const { n, messageId, content, parts } of underWay) {
    const echo = echoes[n]!;
    if (claims.has(echo)) continue;
    const part = partIn(echo.route.connector, content, parts, echo.event.content, (at) => taken.has(`${messageId} ${at}`));
    if (part === undefined) continue;
    const claim: Claim = part === 'last' ? { messageId } : { messageId, part };
    taken.add(`${messageId} ${claim.part}`);
    claims.set(echo, claim);
  }
}

/** Which part of a message an echo says the same as; undefined for none that is still to come. */
function partIn(
  connector: Connector,
  content: Content,
  known: number,
  echoed: Content,
  isTaken: (part: number | undefined) => boolean,
): number | 'last' | undefined {
  const contents = connector.parts?.of(content) ?? [content];
  const last = contents.length - 1;
  for (let part = Math.min(known, last); part <= last; part++) {
    if (!saysTheSame(read(connector, contents[part]!), echoed) || isTaken(part === last ? undefined : part)) continue;
    return part === last ? 'last' : part;
  }
  return undefined;
}

function read(connector: Connector, content: Content): Content {
  return (content.type === 'native' && connector.readNative?.(content.payload)) || content;
}

function saysTheSame(ours: Content, echoed: Content): boolean {
  if (ours.type === 'native') return true;
  if ((ours.type === 'text' || ours.type === 'choices') && (echoed.type === 'text' || echoed.type === 'choices')) {
    return ours.text.trim() === echoed.text.trim();
  }
  return ours.type === echoed.type || (ours.type === 'sticker' && echoed.type === 'image');
}

/** Writes down that the provider has the part; a message that was without an answer goes on with the next one. */
async function notePart(client: Client, { route, event }: Echo, messageId: string, position: number, log: NewEvent[]): Promise<void> {
  const { workspaceId, channelId } = route;
  await keepPart(client, { workspaceId, channelId, messageId, position, providerId: event.providerId, payload: null });
  const place = await goOn(client, { workspaceId, messageId });
  if (place) log.push({ workspaceId, ...place, type: 'message.updated', messageId, data: { state: 'pending' } });
}

/** An echo that names nobody, of a message or a part that the provider's answer made known before. */
async function isKnown(client: Client, { route, event }: Echo, claim: Claim | undefined): Promise<boolean> {
  if (claim || !route.connector.parts) return false;
  return (await knownProviderIds(client, route, [event.providerId])).size > 0;
}
