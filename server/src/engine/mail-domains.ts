/** Domains that mail is sent and received for: added with a DKIM key of their own, verified by their DNS records. */
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { invalid, notFound, PatchbayError } from '../model/errors.ts';
import { uuidv7 } from '../model/ids.ts';
import { type DnsRecord, normalDomain, type RecordCheck, recordsFor } from '../model/mail-domain.ts';
import { deleteEmailDomain, type EmailDomain, insertEmailDomain, keepChecks, lockEmailDomain } from '../store/email-domains.ts';
import { appendEvents } from '../store/ingest-sql.ts';
import { checkRecords } from './domain-check.ts';
import type { Engine } from './engine.ts';

type Parts = Pick<Engine, 'config' | 'database' | 'vault' | 'dns'>;

const makeKeyPair = promisify(generateKeyPair);

/** Adds a mail domain with a DKIM key of its own. `trusted`: verified elsewhere. Throws `invalid` and `conflict`. */
export async function addDomain(
  parts: Parts,
  workspaceId: string,
  given: { domain: string; trusted: boolean; sandbox: boolean },
): Promise<EmailDomain> {
  const domain = normalDomain(given.domain);
  if (!domain) throw invalid('domain', 'is not a domain name');
  const { publicKey, privateKey } = await makeKeyPair('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const id = uuidv7();
  const stored = await insertEmailDomain(parts.database, {
    workspaceId,
    id,
    domain,
    dkimSelector: `patchbay${id.slice(-8)}`,
    dkimPublic: publicKey.toString('base64'),
    dkimPrivate: parts.vault.seal(privateKey, dkimContext(workspaceId, id)),
    trusted: given.trusted,
    sandbox: given.sandbox,
  });
  if (!stored) throw new PatchbayError('conflict', `the domain ${domain} is here already`);
  return stored;
}

/**
 * Looks at the domain's records now, and tells of a change. While the DNS does not answer, the earlier verdict stands.
 * `patient`: a domain that was verified has some days to get its records back; else it is judged at once, for callers that
 * ask whether it is verified now. Throws `not-found` when the domain was removed meanwhile.
 */
export async function verifyDomain(
  parts: Pick<Engine, 'config' | 'database' | 'dns'>,
  domain: EmailDomain,
  { patient = false }: { patient?: boolean } = {},
): Promise<EmailDomain> {
  const records = recordsFor(domain, mailHost(parts));
  const checks = await checkRecords(records, parts.dns);
  const required = checks.filter((check) => records.some((record) => record.purpose === check.purpose && record.required));
  return parts.database.transaction(async (client) => {
    const before = await lockEmailDomain(client, domain.workspaceId, domain.id);
    const kept = before && (await keepChecks(client, domain, checks, { verified: verdictOf(required), patient }));
    if (!kept) throw notFound('Email domain');
    const status = statusOf(kept);
    if (status !== statusOf(before)) {
      const data = { id: kept.id, domain: kept.domain, status };
      await appendEvents(client, [{ workspaceId: kept.workspaceId, type: 'domain.updated', data }]);
    }
    return kept;
  });
}

/** Forgets a domain. Throws `not-found`, and `conflict` while channels send from it. */
export async function removeDomain(parts: Parts, domain: EmailDomain): Promise<void> {
  const outcome = await deleteEmailDomain(parts.database, domain.workspaceId, domain.id);
  if (outcome === 'in-use') throw new PatchbayError('conflict', 'Channels still send from this domain');
  if (!outcome) throw notFound('Email domain');
}

/** `warning`: verified, but records that it needs went missing not long ago. */
export const DOMAIN_STATUSES = ['pending', 'verified', 'warning', 'failed'] as const;
export type DomainStatus = (typeof DOMAIN_STATUSES)[number];

export interface DomainStanding {
  status: DomainStatus;
  /** Each record that the domain needs, and what the DNS said of it. */
  records: (DnsRecord & { status: RecordCheck['status'] | 'unchecked'; found: string[]; message?: string })[];
}

/** How a domain stands, as its last check found it. */
export function standingOf(parts: Pick<Engine, 'config'>, domain: EmailDomain): DomainStanding {
  const { checks } = domain;
  return {
    status: statusOf(domain),
    records: recordsFor(domain, mailHost(parts)).map((record) => {
      const check = checks.find(({ purpose }) => purpose === record.purpose);
      return {
        ...record,
        status: check?.status ?? 'unchecked',
        found: check?.found ?? [],
        ...(check?.message ? { message: check.message } : {}),
      };
    }),
  };
}

function statusOf({ verifiedAt, failingSince, checkedAt }: EmailDomain): DomainStatus {
  if (verifiedAt) return failingSince ? 'warning' : 'verified';
  return checkedAt ? 'failed' : 'pending';
}

/** What the domain's mail is signed with. */
export function dkimOf(parts: Pick<Engine, 'vault'>, domain: EmailDomain) {
  const key = parts.vault.open(domain.dkimPrivate, domain.dkimKeyId, dkimContext(domain.workspaceId, domain.id)) as string;
  return { domain: domain.domain, selector: domain.dkimSelector, private_key: key };
}

/** The name under which the built-in mail server is reached. */
function mailHost(parts: Pick<Engine, 'config'>): string {
  return new URL(parts.config.publicUrl).hostname;
}

function verdictOf(checks: RecordCheck[]): boolean | undefined {
  if (checks.some((check) => check.status === 'missing' || check.status === 'wrong')) return false;
  return checks.every((check) => check.status === 'ok') ? true : undefined;
}

function dkimContext(workspaceId: string, id: string): string {
  return `dkim ${workspaceId} ${id}`;
}
