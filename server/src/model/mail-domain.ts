/** A domain that mail is sent and received for: the DNS records it needs, and what was found of them. */
import { domainToASCII } from 'node:url';

export type RecordPurpose = 'dkim' | 'spf' | 'return_path' | 'dmarc';

export interface DnsRecord {
  purpose: RecordPurpose;
  type: 'TXT' | 'MX';
  /** Full name, without the last dot. */
  name: string;
  value: string;
  /** Without it the domain is not verified. */
  required: boolean;
}

/** `ok`; `missing`: no such record; `wrong`: another value; `unreachable`: the DNS did not answer. */
export interface RecordCheck {
  purpose: RecordPurpose;
  status: 'ok' | 'missing' | 'wrong' | 'unreachable';
  found: string[];
  /** What to do about it. */
  message?: string;
}

const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/** The domain in its DNS form; undefined for what is none. */
export function normalDomain(value: string): string | undefined {
  const domain = domainToASCII(value.trim().replace(/\.$/, '')).toLowerCase();
  const labels = domain.split('.');
  return domain.length <= 253 && labels.length > 1 && labels.every((label) => LABEL.test(label)) ? domain : undefined;
}

/** The records to set. `host`: the name under which our mail server is reached; `dkimPublic`: base64 DER. */
export function recordsFor(domain: { domain: string; dkimSelector: string; dkimPublic: string }, host: string): DnsRecord[] {
  const name = domain.domain;
  return [
    {
      purpose: 'dkim',
      type: 'TXT',
      name: `${domain.dkimSelector}._domainkey.${name}`,
      value: `v=DKIM1; k=rsa; p=${domain.dkimPublic}`,
      required: true,
    },
    { purpose: 'spf', type: 'TXT', name, value: `v=spf1 a:${host} ~all`, required: true },
    { purpose: 'return_path', type: 'MX', name, value: `10 ${host}`, required: true },
    { purpose: 'dmarc', type: 'TXT', name: `_dmarc.${name}`, value: 'v=DMARC1; p=none', required: false },
  ];
}

/** What the DNS answered to one record's question. */
export function judge(record: DnsRecord, found: string[]): RecordCheck {
  const { purpose } = record;
  const candidates = found.filter((value) => belongs(record, value));
  if (candidates.length === 0) return { purpose, status: 'missing', found, message: `add the ${record.type} record ${record.name}` };
  const problem = problemOf(record, candidates);
  return problem ? { purpose, status: 'wrong', found: candidates, message: problem } : { purpose, status: 'ok', found: candidates };
}

function belongs(record: DnsRecord, value: string): boolean {
  const text = value.trim().toLowerCase();
  if (record.purpose === 'spf') return text === 'v=spf1' || text.startsWith('v=spf1 ');
  if (record.purpose === 'dmarc') return text.startsWith('v=dmarc1');
  return true;
}

function problemOf(record: DnsRecord, candidates: string[]): string | undefined {
  const text = candidates[0]!.trim();
  switch (record.purpose) {
    case 'dkim':
      return candidates.some((value) => keyOf(value) === keyOf(record.value)) ? undefined : 'the record holds another key';
    case 'spf': {
      if (candidates.length > 1) return 'there are several SPF records: join them into one';
      const mechanism = record.value.split(' ')[1]!;
      return text
        .toLowerCase()
        .split(/\s+/)
        .some((part) => part.replace(/^\+/, '') === mechanism.toLowerCase())
        ? undefined
        : `add ${mechanism} to the SPF record`;
    }
    case 'return_path': {
      const host = record.value.split(' ')[1]!.toLowerCase();
      return candidates.some((value) => value.toLowerCase().endsWith(` ${host}`)) ? undefined : `no MX record points to ${host}`;
    }
    case 'dmarc':
      if (candidates.length > 1) return 'there are several DMARC records: keep one';
      return /;\s*p\s*=\s*(none|quarantine|reject)\b/i.test(text) ? undefined : 'the DMARC record has no policy (p=)';
  }
}

function keyOf(value: string): string | undefined {
  return /(?:^|;)\s*p\s*=\s*([^;]*)/i.exec(value)?.[1]?.replace(/\s+/g, '');
}
