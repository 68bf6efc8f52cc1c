/**
 * The address that Meta calls for WhatsApp, Messenger and Instagram.
 * developers.facebook.com/docs/graph-api/webhooks/getting-started
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Hook, HookReply, HookRequest, ProviderConfig, RawEvent } from '../connector.ts';
import { type Json, record, records, text } from './values.ts';

const ALIASES = ['/facebook', '/instagram', '/whatsapp', '/hooks/meta/facebook', '/hooks/meta/instagram', '/hooks/meta/whatsapp'];
const SOURCES: Record<string, string> = { whatsapp_business_account: 'whatsapp', page: 'facebook', instagram: 'instagram' };

export const metaHook: Hook = { path: '/hooks/meta', aliases: ALIASES, source: 'whatsapp', handshake, verify, unpack };

/** `hub.challenge` comes back exactly, or 403 when the verify token is not ours. */
function handshake(request: HookRequest, config: ProviderConfig): HookReply | undefined {
  if (request.method !== 'GET') return undefined;
  const expected = config.get('META_VERIFY_TOKEN');
  const given = request.query['hub.verify_token'];
  const challenge = request.query['hub.challenge'];
  const accepted =
    request.query['hub.mode'] === 'subscribe' && challenge !== undefined && !!expected && given !== undefined && sameText(given, expected);
  return accepted
    ? { status: 200, contentType: 'text/plain', body: challenge }
    : { status: 403, contentType: 'text/plain', body: 'Forbidden: the verify token is not the one in META_VERIFY_TOKEN' };
}

/**
 * `X-Hub-Signature-256`; the older `X-Hub-Signature` only where it comes alone. Instagram Login's webhooks are signed with
 * the Instagram app's own secret. Without a secret nothing can be right.
 */
function verify(request: HookRequest, { config }: { config: ProviderConfig }): 'ok' | 'missing' | 'wrong' {
  const sha256 = request.headers['x-hub-signature-256'];
  const given = sha256 ?? request.headers['x-hub-signature'];
  if (!given) return 'missing';
  const algorithm = sha256 === undefined ? 'sha1' : 'sha256';
  const right = (secret: string | undefined) =>
    !!secret && sameText(given, `${algorithm}=${createHmac(algorithm, secret).update(request.body).digest('hex')}`);
  if (right(config.get('META_APP_SECRET'))) return 'ok';
  return right(config.get('META_INSTAGRAM_APP_SECRET')) && isAboutInstagram(request.body) ? 'ok' : 'wrong';
}

/** The Instagram app's secret speaks for Instagram accounts alone. Read only after the bytes were found to be signed. */
function isAboutInstagram(body: Buffer): boolean {
  try {
    return record(JSON.parse(body.toString('utf8')))?.object === 'instagram';
  } catch {
    return false;
  }
}

function sameText(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** One piece per source and account, in the order in which the accounts first appear. */
function unpack(request: HookRequest): RawEvent[] {
  const body = record(JSON.parse(request.body.toString('utf8')));
  const object = text(body?.object);
  if (!body || !object || !Array.isArray(body.entry)) throw new Error('The body is not a webhook of Meta’s: object and entry are missing');
  const source = Object.hasOwn(SOURCES, object) ? SOURCES[object] : undefined;
  if (!source) throw new Error(`Meta’s webhook is about an unknown object: ${object.slice(0, 100)}`);
  const pieces = source === 'whatsapp' ? whatsappPieces(records(body.entry)) : pagePieces(records(body.entry));
  const contentType = request.headers['content-type'] ?? 'application/json';
  if (pieces.length <= 1) {
    return [{ source, sourceChannelId: pieces[0]?.account ?? null, contentType, body: request.body, value: body }];
  }
  return pieces.map(({ account, entry }) => {
    const value = { ...body, entry };
    return { source, sourceChannelId: account, contentType, body: Buffer.from(JSON.stringify(value)), value };
  });
}

interface Piece {
  account: string | null;
  entry: Json[];
}

/** A change is about the number in its metadata; one without is about the WhatsApp business account, `entry.id`. */
function whatsappPieces(entries: Json[]): Piece[] {
  const pieces = new Map<string, Piece>();
  for (const entry of entries) {
    const perNumber = new Map<string | null, Json[]>();
    for (const change of records(entry.changes)) {
      const number = phoneNumberIdOf(change);
      const changes = perNumber.get(number);
      if (changes) changes.push(change);
      else perNumber.set(number, [change]);
    }
    for (const [number, changes] of perNumber) {
      append(pieces, number === null ? `account ${text(entry.id)}` : number, number, { ...entry, changes });
    }
  }
  return [...pieces.values()];
}

function phoneNumberIdOf(change: Json): string | null {
  const outer = record(change.value);
  const value = record(outer?.whatsapp_business_api_data) ?? outer;
  return text(record(value?.metadata)?.phone_number_id) ?? text(value?.phone_number_id) ?? null;
}

function pagePieces(entries: Json[]): Piece[] {
  const pieces = new Map<string, Piece>();
  for (const entry of entries) append(pieces, text(entry.id) ?? '', text(entry.id) ?? null, entry);
  return [...pieces.values()];
}

function append(pieces: Map<string, Piece>, key: string, account: string | null, entry: Json): void {
  const piece = pieces.get(key);
  if (piece) piece.entry.push(entry);
  else pieces.set(key, { account, entry: [entry] });
}
