/** Delivery straight to the recipients' mail exchangers (RFC 5321, 5.1), where no relay is set. */
import { Resolver } from 'node:dns/promises';
import { ProviderError } from '../../model/errors.ts';
import { domainOf } from '../../model/mail-address.ts';
import type { ConnectorContext } from '../connector.ts';
import { type SmtpAnswer, sendSmtp } from './smtp.ts';

export interface MxOptions {
  resolveMx(domain: string): Promise<{ exchange: string; priority: number }[]>;
  /** 25 everywhere but in tests. */
  port?: number;
  /** Our name in EHLO. */
  name?: string;
}

export const systemMx: MxOptions = {
  resolveMx: (domain) => new Resolver({ timeout: 5_000, tries: 2 }).resolveMx(domain),
};

const EXCHANGES_TRIED = 4;

/**
 * Delivers to every recipient's domain, that of the first recipient first. Its failure is the mail's failure; once one
 * domain has the mail, those that refuse it are told in the answer and nothing is sent twice.
 */
export async function sendToMx(
  envelope: { from: string; to: string[] },
  raw: Buffer,
  context: ConnectorContext,
  options: MxOptions = systemMx,
): Promise<SmtpAnswer> {
  const domains = Map.groupBy(envelope.to, domainOf);
  const total: SmtpAnswer = { accepted: [], rejected: [], response: '' };
  for (const [domain, to] of domains) {
    try {
      const answer = await sendToDomain(domain, { from: envelope.from, to }, raw, context, options);
      total.accepted.push(...answer.accepted);
      total.rejected.push(...answer.rejected);
      total.response ||= answer.response;
    } catch (error) {
      if (!(error instanceof ProviderError) || total.accepted.length === 0) throw error;
      const why = {
        ...(error.code ? { code: error.code } : {}),
        message: error.message,
        ...(isForNow(error) ? { later: true as const } : {}),
      };
      total.rejected.push(...to.map((address) => ({ address, ...why })));
    }
  }
  return total;
}

function isForNow(error: ProviderError): boolean {
  return error.class === 'retry' || error.class === 'rate-limited';
}

async function sendToDomain(
  domain: string,
  envelope: { from: string; to: string[] },
  raw: Buffer,
  context: ConnectorContext,
  options: MxOptions,
): Promise<SmtpAnswer> {
  const exchanges = await exchangesOf(domain, options);
  let last: unknown;
  for (const host of exchanges) {
    try {
      return await sendSmtp(
        { host, port: options.port ?? 25, tls: false, ...(options.name ? { name: options.name } : {}) },
        envelope,
        raw,
        context,
      );
    } catch (error) {
      // Only a server that took nothing lets us ask the next one.
      if (!(error instanceof ProviderError) || !isForNow(error)) throw error;
      last = error;
    }
  }
  throw last;
}

async function exchangesOf(domain: string, options: MxOptions): Promise<string[]> {
  try {
    const records = await options.resolveMx(domain);
    if (records.length === 1 && records[0]!.exchange === '') {
      throw new ProviderError('recipient-unreachable', `${domain} takes no mail (null MX).`, { code: '5.1.10', scope: 'recipient' });
    }
    const sorted = records.toSorted((a, b) => a.priority - b.priority).map((record) => record.exchange);
    return sorted.length > 0 ? sorted.slice(0, EXCHANGES_TRIED) : [domain];
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    // Without an MX record the domain's own address counts (RFC 5321, 5.1).
    if (code === 'ENODATA') return [domain];
    if (code === 'ENOTFOUND')
      throw new ProviderError('recipient-unreachable', `There is no domain ${domain}.`, {
        code: '5.1.2',
        scope: 'recipient',
        cause: error,
      });
    throw new ProviderError('retry', `The mail servers of ${domain} could not be looked up (${code ?? 'no answer'}).`, {
      code: code ?? 'dns',
      cause: error,
    });
  }
}
