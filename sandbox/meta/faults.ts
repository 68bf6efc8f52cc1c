/** What goes wrong on demand. Numbers count down with each call that they hit. */
import { GraphError } from './errors.ts';

export interface Faults {
  /** So many calls (`Infinity`: all) are answered with 503. */
  outages: number;
  /** So many sends are let through before one of the next three hits any. */
  spareSends: number;
  /** So many sends are carried out, and their answers never arrive. */
  lostAnswers: number;
  /** So many sends are refused with 130429, naming a wait in the usage header. */
  rateLimits: number;
  /** So many sends are refused with this error. */
  refusals: { code: number; message: string; status: number; left: number } | undefined;
  /** Every answer is this late. */
  delayMs: number;
  /** Every webhook comes so many times more. */
  duplicates: number;
  /** Webhooks are collected until there are so many. */
  holdWebhooks: number;
  /** Collected webhooks go out last first. */
  disorder: boolean;
  webhookDelayMs: number;
  webhookRetries: number;
  /** Where a free message outside the window is refused: in the answer, or by a failed status as Meta also does; or nowhere. */
  windowRefusal: 'answer' | 'webhook' | 'never';
  /** Which statuses follow a send. */
  statuses: ('sent' | 'delivered' | 'read')[];
}

export function noFaults(): Faults {
  return {
    outages: 0,
    spareSends: 0,
    lostAnswers: 0,
    rateLimits: 0,
    refusals: undefined,
    delayMs: 0,
    duplicates: 0,
    holdWebhooks: 1,
    disorder: false,
    webhookDelayMs: 0,
    webhookRetries: 5,
    windowRefusal: 'answer',
    statuses: ['sent', 'delivered', 'read'],
  };
}

/** Throws when the next call is to find the service down. */
export function outage(faults: Faults): void {
  if (faults.outages <= 0) return;
  faults.outages--;
  throw new GraphError(503, 2, 'Service temporarily unavailable');
}

/** True for a send that no fault may hit. */
export function isSpared(faults: Faults): boolean {
  if (faults.spareSends <= 0) return false;
  faults.spareSends--;
  return true;
}

/** Throws when the next send is to be refused. */
export function refusal(faults: Faults): void {
  if (faults.rateLimits > 0) {
    faults.rateLimits--;
    const usage = { '1': [{ type: 'whatsapp', call_count: 100, estimated_time_to_regain_access: 1 }] };
    throw new GraphError(429, 130429, '(#130429) Rate limit hit', {
      details: 'Cloud API message throughput has been reached.',
      headers: { 'x-business-use-case-usage': JSON.stringify(usage) },
    });
  }
  if (faults.refusals && faults.refusals.left > 0) {
    faults.refusals.left--;
    throw new GraphError(faults.refusals.status, faults.refusals.code, faults.refusals.message);
  }
}
