/**
 * A mail to several people of whom some are deferred (greylisting, a server that is down): who has it is remembered, and
 * the next attempts go to the others alone. Nobody gets it twice, nobody is forgotten.
 */
import { ProviderError } from '../../model/errors.ts';
import type { ConnectorContext } from '../connector.ts';
import type { BuiltMail } from './build.ts';
import type { SmtpAnswer } from './smtp.ts';

/** Then whoever is still deferred is told as not reached. The attempts of a message go on a little longer. */
const GIVE_UP_MS = 3 * 3_600_000;
const KEPT_SECONDS = 7 * 86_400;

interface Taken {
  addresses: string[];
  /** ISO time of the first of them. */
  since: string;
}

/** Hands the mail to all who do not have it yet. Throws what `send` throws while nobody has it, and `retry` while some are deferred. */
export async function sendToAll(
  messageId: string,
  { envelope }: Pick<BuiltMail, 'envelope'>,
  context: ConnectorContext,
  send: (envelope: BuiltMail['envelope']) => Promise<SmtpAnswer>,
): Promise<SmtpAnswer> {
  const key = `taken:${messageId}`;
  const before = (await context.memo.get(key)) as Taken | undefined;
  const has = before?.addresses ?? [];
  const to = envelope.to.filter((address) => !has.includes(address));
  const answer = await send({ ...envelope, to }).catch((error: unknown) => withoutTheRest(error, to, before));
  const accepted = [...has, ...answer.accepted];
  const [deferred] = answer.rejected.filter(({ later }) => later);
  const since = before?.since ?? context.now().toISOString();
  if (!deferred || accepted.length === 0 || context.now().getTime() - Date.parse(since) > GIVE_UP_MS) return { ...answer, accepted };
  await context.memo.set(key, { addresses: accepted, since } satisfies Taken, KEPT_SECONDS);
  throw new ProviderError('retry', `${deferred.address} has to wait: ${deferred.message}`, {
    ...(deferred.code ? { code: deferred.code } : {}),
  });
}

/** When some have the mail, a refusal of the rest is told, and is not the mail's failure. */
function withoutTheRest(error: unknown, to: string[], before: Taken | undefined): SmtpAnswer {
  if (!before || !(error instanceof ProviderError) || error.class === 'unknown-outcome' || error.class === 'unauthorized') throw error;
  const later = error.class === 'retry' || error.class === 'rate-limited';
  const why = { ...(error.code ? { code: error.code } : {}), message: error.message, ...(later ? { later: true as const } : {}) };
  return { accepted: [], rejected: to.map((address) => ({ address, ...why })), response: '' };
}
