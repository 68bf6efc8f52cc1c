/** Moves messages on to the next channel of their list: when the present one failed, or did not deliver in time. */
import { PatchbayError, ProviderError } from '../model/errors.ts';
import type { Message, MessageError } from '../model/message.ts';
import type { Client } from '../store/database.ts';
import { claimFallbacks, type Fallback, keepFallback, moveMessage, removeFallback } from '../store/fallbacks.ts';
import { appendEvents } from '../store/ingest-sql.ts';
import { getMessage } from '../store/messages.ts';
import { enqueue } from '../store/outbox.ts';
import { openDestination } from './destination.ts';
import type { Engine } from './engine.ts';
import type { PendingStep } from './send.ts';
import { revokeAtProvider } from './take-back.ts';
import { Worker } from './worker.ts';

type Parts = Pick<Engine, 'database' | 'channels' | 'contexts' | 'sender' | 'outbox' | 'log'>;

/** What became of one way; `metadata.attempts` lists them, the present one not among them. */
export interface Attempt {
  channelId: string;
  source: string;
  state: Message['state'];
  at: string;
  providerId?: string;
  /** Taken back at the provider before it went the next way, so that it does not arrive twice. */
  revoked?: true;
  error?: Pick<MessageError, 'class' | 'message' | 'providerCode'>;
}

export function fallbackMover(parts: Parts): Worker {
  return new Worker({
    name: 'fallbacks',
    restMs: 1000,
    log: parts.log,
    work: async () => {
      const due = await claimFallbacks(parts.database, 50);
      for (const fallback of due) await moveOn(parts, fallback as Fallback<PendingStep>);
      return due.length;
    },
  });
}

async function moveOn(parts: Parts, fallback: Fallback<PendingStep>): Promise<void> {
  const { workspaceId, messageId, steps } = fallback;
  const { database } = parts;
  const present = await getMessage(database, workspaceId, messageId);
  const tooLate = steps[0]?.validUntil !== undefined && new Date(steps[0].validUntil) <= new Date();
  if (!present || hasArrived(present) || tooLate) return removeFallback(database, workspaceId, messageId);
  const revoked = await revoke(parts, present);
  const moved = await database.transaction(async (client) => {
    const message = await getMessage(client, workspaceId, messageId);
    if (!message || hasArrived(message)) {
      await removeFallback(client, workspaceId, messageId);
      return false;
    }
    return tryStep(client, parts, message, { ...attemptOf(message), ...(revoked ? { revoked } : {}) }, steps);
  });
  if (moved) parts.outbox.wake();
}

function hasArrived({ state }: Message): boolean {
  return state === 'delivered' || state === 'read';
}

/** What the provider still has of the present way is taken back where it can be. One that cannot be asked keeps nobody waiting. */
async function revoke(parts: Parts, message: Message): Promise<true | undefined> {
  if (message.state !== 'sent' && message.state !== 'unknown') return undefined;
  const channel = await parts.channels.get(message.workspaceId, message.channelId);
  try {
    return (await revokeAtProvider(parts, channel, message)) || undefined;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    parts.log.info(
      { message: message.id, class: error.class },
      `a message that goes another way could not be taken back: ${error.message}`,
    );
    return undefined;
  }
}

/** Takes the first of the ways that the gate lets through; what it says against the others becomes an attempt too. */
async function tryStep(client: Client, parts: Parts, message: Message, attempt: Attempt, steps: PendingStep[]): Promise<boolean> {
  const attempts = [attempt];
  for (const [index, step] of steps.entries()) {
    try {
      return await take(client, parts, message, attempts, step, steps.slice(index + 1));
    } catch (error) {
      if (!(error instanceof PatchbayError)) throw error;
      const channel = await parts.channels.get(message.workspaceId, step.to.channelId).catch(() => undefined);
      attempts.push({
        channelId: step.to.channelId,
        source: channel?.source ?? '',
        state: 'failed',
        at: new Date().toISOString(),
        error: { class: error.code, message: error.message },
      });
    }
  }
  await removeFallback(client, message.workspaceId, message.id);
  return false;
}

async function take(
  client: Client,
  parts: Parts,
  message: Message,
  attempts: Attempt[],
  step: PendingStep,
  left: PendingStep[],
): Promise<boolean> {
  const { workspaceId, id: messageId } = message;
  const destination = await openDestination(client, parts.channels, { workspaceId, to: step.to, content: step.content, messageId });
  const { content, problems } = await parts.sender.examine(client, destination, { ...step, workspaceId });
  if (problems[0]) throw problems[0];
  const { channel, conversation } = destination;
  const to = { channelId: channel.id, conversationId: conversation.id, contactId: conversation.contactId };
  const moved = await moveMessage(client, { workspaceId, messageId, ...to, source: channel.source, content, attempts });
  if (!moved) return false;
  const runAt = step.timeoutSeconds === undefined ? null : new Date(Date.now() + step.timeoutSeconds * 1000);
  if (left.length > 0) await keepFallback(client, { workspaceId, messageId, steps: left }, runAt);
  else await removeFallback(client, workspaceId, messageId);
  const options = step.validUntil ? { validUntil: step.validUntil } : {};
  await enqueue(client, { workspaceId, messageId, channelId: to.channelId, conversationId: to.conversationId, runAt: null, options });
  await appendEvents(client, [{ workspaceId, type: 'message.updated', messageId, ...to, data: { state: 'pending', movedTo: channel.id } }]);
  return true;
}

function attemptOf({ channelId, source, state, providerId, error }: Message): Attempt {
  return {
    channelId,
    source,
    state,
    at: new Date().toISOString(),
    ...(providerId ? { providerId } : {}),
    ...(error
      ? { error: { class: error.class, message: error.message, ...(error.providerCode ? { providerCode: error.providerCode } : {}) } }
      : {}),
  };
}
