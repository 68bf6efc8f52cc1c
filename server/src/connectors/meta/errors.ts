/**
 * Meta's error codes, classed once for the Graph API, for sends and for failed-status webhooks.
 * Codes: developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes, …/messenger-platform/error-codes,
 * …/graph-api/guides/error-handling.
 */
import { ProviderError, type ProviderErrorClass } from '../../model/errors.ts';
import type { MessageError } from '../../model/message.ts';
import { type Json, number, record, text } from './values.ts';

interface Treatment {
  class: ProviderErrorClass;
  scope?: 'channel' | 'recipient' | 'message';
  retryAfterMs?: number;
  hint?: string;
}

const NEW_TOKEN: Treatment = {
  class: 'unauthorized',
  scope: 'channel',
  hint: 'Replace the access token of this channel; check that its permissions were granted and that it has not expired.',
};
const ACCOUNT: Treatment = {
  class: 'unauthorized',
  scope: 'channel',
  hint: 'Open the account in Meta Business Manager and resolve what it shows there; then check this channel again.',
};
const TOO_FAST: Treatment = { class: 'rate-limited', scope: 'channel' };
const TRANSIENT: Treatment = { class: 'retry' };
const UNREACHABLE: Treatment = { class: 'recipient-unreachable', scope: 'recipient' };
const CONTENT: Treatment = { class: 'rejected' };
const TEMPLATE: Treatment = { class: 'rejected', hint: 'Sync the templates of this channel and compare the values with the template.' };

const TREATMENTS = new Map<number, Treatment>();
function treat(codes: number[], treatment: Treatment): void {
  for (const code of codes) TREATMENTS.set(code, treatment);
}

treat([0, 3, 10, 102, 104, 190, 131005], NEW_TOKEN);
for (let code = 200; code <= 299; code++) TREATMENTS.set(code, NEW_TOKEN);
// 8000x: the limits of business use cases, one code for each (pages, Instagram, Messenger, WhatsApp).
treat([4, 17, 32, 341, 613, 80001, 80002, 80006, 80007, 80008, 80014, 130429], TOO_FAST);
treat([131056], {
  class: 'rate-limited',
  scope: 'recipient',
  retryAfterMs: 4_000,
  hint: 'Too many messages to this one customer in a short time; the rest waits.',
});
treat([131048, 131064], {
  class: 'rejected',
  scope: 'channel',
  hint: 'Meta limits this number because customers blocked or reported it. Stop campaigns and look at its quality rating.',
});
treat([1, 2, 1200, 131000, 131016, 131057, 133004, 135000], TRANSIENT);
treat([131047], {
  class: 'window-closed',
  scope: 'recipient',
  hint: 'More than 24 hours have passed since the customer last wrote. Send an approved template instead.',
});
treat([131026, 131030, 131021, 130497, 137000, 551], UNREACHABLE);
treat([131062], { ...UNREACHABLE, hint: 'This message needs the customer’s phone number, and only their business-scoped id is known.' });
treat([130472], { ...UNREACHABLE, hint: 'The customer is in one of Meta’s experiments and gets no marketing messages.' });
treat([131049], { ...UNREACHABLE, hint: 'Meta holds back marketing messages to this customer; do not try again within 24 hours.' });
treat([131050], { class: 'opted-out', hint: 'The customer stopped marketing messages from this business.' });
treat([33, 100, 131008, 131009, 131051], CONTENT);
treat([131052, 131053], {
  class: 'rejected',
  hint: 'Meta could not take the file: check its type, size and, for an address, that Meta can reach it.',
});
treat([132000, 132001, 132005, 132007, 132008, 132012, 132068, 132069, 131063], TEMPLATE);
treat([132015], { class: 'rejected', hint: 'The template is paused for low quality; use another one or wait until Meta resumes it.' });
treat([132016], { class: 'rejected', hint: 'The template is disabled for good; create a new one.' });
treat([368, 131031, 131037, 131042, 131044, 131045, 133010, 133016], ACCOUNT);

/** Messenger and Instagram tell the reason in the sub-code of a few general codes. */
const SUBCODES = new Map<number, Treatment>([
  [
    2018278,
    {
      class: 'window-closed',
      scope: 'recipient',
      hint: 'The 24-hour window has closed. A person may answer for 7 days with the HUMAN_AGENT tag.',
    },
  ],
  [
    2018065,
    {
      class: 'window-closed',
      scope: 'recipient',
      hint: 'The 24-hour window has closed. A person may answer for 7 days with the HUMAN_AGENT tag.',
    },
  ],
  [
    2534022,
    {
      class: 'window-closed',
      scope: 'recipient',
      hint: 'The 24-hour window has closed. A person may answer for 7 days with the HUMAN_AGENT tag.',
    },
  ],
  [2018001, { ...UNREACHABLE, hint: 'Meta knows no such customer for this page.' }],
  [1545041, { ...UNREACHABLE, hint: 'The customer cannot be written to now: blocked, left, or the account is closed.' }],
  [2018108, { ...UNREACHABLE, hint: 'The customer does not take messages from this page.' }],
]);

/** How an error of Meta's is treated. `subcode` and the HTTP status help where the code is general or unknown. */
export function treatmentOf(code: number | undefined, subcode?: number, status?: number): Treatment {
  const bySubcode = subcode === undefined ? undefined : SUBCODES.get(subcode);
  if (bySubcode) return bySubcode;
  const byCode = code === undefined ? undefined : TREATMENTS.get(code);
  if (byCode) return byCode;
  if (status === 401 || status === 403) return NEW_TOKEN;
  if (status === 429) return TOO_FAST;
  if (status !== undefined && status >= 500) return TRANSIENT;
  return CONTENT;
}

/** Meta's words, the most telling first. */
export function wordsOf(error: Json): string {
  const told = text(error.message) ?? text(error.title);
  const details = text(record(error.error_data)?.details) ?? text(error.error_user_msg) ?? text(error.error_user_title);
  if (details && told && details !== told) return `${told}: ${details}`;
  return details ?? told ?? 'Meta gave no reason';
}

/** A Graph answer that is an error → the error that everything above understands. */
export function errorOf(status: number, body: unknown, headers?: { get(name: string): string | null }): ProviderError {
  const error = record(record(body)?.error) ?? {};
  const code = number(error.code);
  const subcode = number(error.error_subcode);
  let treatment = treatmentOf(code, subcode, status);
  if (error.is_transient === true && treatment.class === 'rejected') treatment = TRANSIENT;
  const wait = treatment.class === 'rate-limited' || treatment.class === 'retry' ? waitTold(headers) : undefined;
  const words = Object.keys(error).length === 0 ? `Meta answered ${status} without a reason` : wordsOf(error);
  return new ProviderError(treatment.class, words, {
    code: code === undefined ? undefined : String(code),
    retryAfterMs: wait ?? treatment.retryAfterMs,
    scope: treatment.scope,
    hint: treatment.hint,
    status,
    raw: body,
  });
}

/** An entry of `errors[]` in a webhook → why a message failed. */
export function messageErrorOf(error: Json): MessageError {
  const code = number(error.code);
  const treatment = treatmentOf(code);
  const words = wordsOf(error);
  return {
    class: treatment.class,
    message: words,
    ...(treatment.hint ? { hint: treatment.hint } : {}),
    ...(code === undefined ? {} : { providerCode: String(code) }),
    providerMessage: words,
    raw: error,
  };
}

/** Milliseconds until Meta takes calls again: `Retry-After`, or the usage header's minutes. */
function waitTold(headers: { get(name: string): string | null } | undefined): number | undefined {
  const seconds = number(headers?.get('retry-after'));
  if (seconds !== undefined && seconds >= 0) return seconds * 1000;
  const usage = headers?.get('x-business-use-case-usage');
  if (!usage) return undefined;
  let read: unknown;
  try {
    read = JSON.parse(usage);
  } catch {
    return undefined;
  }
  const minutes = Object.values(record(read) ?? {})
    .flatMap((entries) => (Array.isArray(entries) ? entries : []))
    .map((entry) => number(record(entry)?.estimated_time_to_regain_access) ?? 0);
  const longest = Math.max(0, ...minutes);
  return longest > 0 ? longest * 60_000 : undefined;
}
