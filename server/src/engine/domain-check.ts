/** Looks at a mail domain's records in the DNS. */
import { Resolver } from 'node:dns/promises';
import { type DnsRecord, judge, type RecordCheck } from '../model/mail-domain.ts';

/** The part of `node:dns` that is needed; tests bring their own. */
export interface DnsLookup {
  resolveTxt(name: string): Promise<string[][]>;
  resolveMx(name: string): Promise<{ exchange: string; priority: number }[]>;
}

export function systemDns(): Resolver {
  return new Resolver({ timeout: 3_000, tries: 2 });
}

/** One check for each record. Never throws: a DNS that does not answer is a result too. */
export function checkRecords(records: DnsRecord[], dns: DnsLookup): Promise<RecordCheck[]> {
  return Promise.all(
    records.map(async (record) => {
      try {
        return judge(record, await lookUp(record, dns));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENODATA' || code === 'ENOTFOUND') return judge(record, []);
        return {
          purpose: record.purpose,
          status: 'unreachable' as const,
          found: [],
          message: `the DNS did not answer (${code ?? 'no code'})`,
        };
      }
    }),
  );
}

async function lookUp(record: DnsRecord, dns: DnsLookup): Promise<string[]> {
  if (record.type === 'TXT') return (await dns.resolveTxt(record.name)).map((parts) => parts.join(''));
  const exchanges = await dns.resolveMx(record.name);
  return exchanges.map(({ exchange, priority }) => `${priority} ${exchange.replace(/\.$/, '')}`);
}
