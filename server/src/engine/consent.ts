/** Access to an account that a person grants in the browser (OAuth): the way there and the way back. */
import { createHash, randomBytes } from 'node:crypto';
import { notFound, PatchbayError, ProviderError } from '../model/errors.ts';
import type { ChannelRow } from '../store/channels.ts';
import { takeMemo, writeMemo } from '../store/memos.ts';
import type { Engine } from './engine.ts';

type Parts = Pick<Engine, 'config' | 'database' | 'vault' | 'channels' | 'contexts'>;

/** How long a person may take. */
const SECONDS = 600;
/** The answer comes without a workspace: what is kept for it belongs to none. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

interface Kept {
  workspaceId: string;
  channelId: string;
  keep: Record<string, string>;
  /** A digest of the browser's own secret, where the way began in a browser: only that browser may end it. */
  browser: string | null;
}

export interface ConsentStart {
  /** Where the person goes. */
  url: string;
  /** To be kept by the browser and shown again at the end. */
  browserSecret: string;
}

/**
 * Begins. Throws `not-found`, `not-supported` when the channel needs no consent, `setting-missing`, or what the
 * provider says. `fromBrowser`: the answer counts only from a browser that shows `browserSecret`.
 */
export async function startConsent(parts: Parts, workspaceId: string, channelId: string, fromBrowser: boolean): Promise<ConsentStart> {
  const { config, database, vault, channels, contexts } = parts;
  const row = await channels.get(workspaceId, channelId);
  if (row.status === 'deleted') throw notFound('channel');
  const connector = channels.connectorOf(row.source);
  const state = randomBytes(32).toString('base64url');
  const browserSecret = randomBytes(32).toString('base64url');
  const context = contexts.for({ workspaceId, channelId, sandbox: row.sandbox });
  const request = await connector.consent?.start(channels.view(row), context, { redirectUri: redirectUri(config.publicUrl), state });
  if (!request) throw new PatchbayError('not-supported', `${row.name} needs no consent in the browser`);
  const kept: Kept = { workspaceId, channelId, keep: request.keep, browser: fromBrowser ? digest(browserSecret) : null };
  await writeMemo(database, vault, memoOf(state), kept, SECONDS);
  return { url: request.url, browserSecret };
}

/** What the provider sent the browser back with. */
export interface ConsentAnswer {
  state?: string | undefined;
  code?: string | undefined;
  error?: string | undefined;
  error_description?: string | undefined;
}

/**
 * Ends: the channel has its access. `channelId` is told also when it went wrong, so that people land on its page.
 * Throws `gone` for a state that is unknown, used or too old.
 */
export async function finishConsent(
  parts: Parts,
  answer: ConsentAnswer,
  browserSecret: string | undefined,
): Promise<{ channelId: string; row?: ChannelRow; problem?: string }> {
  const { config, database, vault, channels, contexts } = parts;
  const kept = answer.state ? ((await takeMemo(database, vault, memoOf(answer.state))) as Kept | undefined) : undefined;
  if (!kept) throw new PatchbayError('gone', 'this consent was used already or took too long: open the channel and begin again');
  const { workspaceId, channelId } = kept;
  if (kept.browser && (!browserSecret || digest(browserSecret) !== kept.browser)) {
    return { channelId, problem: 'the consent was begun in another browser: begin again in this one' };
  }
  if (answer.error || !answer.code) {
    return { channelId, problem: answer.error_description ?? answer.error ?? 'the provider sent no code' };
  }
  const row = await channels.get(workspaceId, channelId);
  const connector = channels.connectorOf(row.source);
  if (row.status === 'deleted' || !connector.consent) throw notFound('channel');
  const context = contexts.for({ workspaceId, channelId, sandbox: row.sandbox });
  try {
    const connected = await connector.consent.finish(channels.view(row), context, {
      redirectUri: redirectUri(config.publicUrl),
      code: answer.code,
      keep: kept.keep,
    });
    return { channelId, row: await channels.renew(row, connected) };
  } catch (error) {
    if (!(error instanceof ProviderError) && !(error instanceof PatchbayError)) throw error;
    return { channelId, problem: error instanceof ProviderError && error.hint ? `${error.message} ${error.hint}` : error.message };
  }
}

function redirectUri(publicUrl: string): string {
  return `${publicUrl.replace(/\/+$/, '')}/oauth/callback`;
}

function memoOf(state: string) {
  return { workspaceId: NOBODY, channelId: NOBODY, key: `consent ${digest(state)}` };
}

function digest(value: string): string {
  return createHash('sha256').update(value).digest('base64url');
}
