/** Looks at the DNS records of mail domains again and again: they can vanish, and they can appear. */
import { takeDueDomains } from '../store/email-domains.ts';
import type { Engine } from './engine.ts';
import { verifyDomain } from './mail-domains.ts';
import { Worker } from './worker.ts';

/** Records rarely go; while some are missing, people wait for the change to be seen. */
const EVERY = { verifiedMinutes: 6 * 60, otherMinutes: 10 };
const AT_A_TIME = 10;

export function domainWatch(parts: Pick<Engine, 'config' | 'database' | 'dns' | 'log'>): Worker {
  return new Worker({
    name: 'domains',
    restMs: 60_000,
    log: parts.log,
    work: async () => {
      const due = await takeDueDomains(parts.database, EVERY, AT_A_TIME);
      for (const domain of due) {
        await verifyDomain(parts, domain, { patient: true }).catch((error) =>
          parts.log.warn({ domain: domain.domain, err: error }, 'a mail domain could not be checked; trying again later'),
        );
      }
      return due.length;
    },
  });
}
