import { Text } from '@mantine/core';
import type { DomainRecord } from '../api/types.ts';
import { CopyValue } from '../components/CopyValue.tsx';
import { Badge } from '../components/StatusBadge.tsx';
import classes from './domains.module.css';

const PURPOSES: Record<DomainRecord['purpose'], { title: string; why: string }> = {
  dkim: { title: 'DKIM', why: 'The key that your mails are signed with.' },
  spf: { title: 'SPF', why: 'Allows this server to send for the domain. Add its part to the record you have: there may be only one.' },
  return_path: { title: 'Mail exchange', why: 'Brings answers and bounces here.' },
  dmarc: { title: 'DMARC', why: 'Tells others what to do with mail that is not signed. Recommended.' },
};

const STATUSES: Record<DomainRecord['status'], { words: string; tone: 'good' | 'warning' | 'bad' | 'neutral' }> = {
  ok: { words: 'Found', tone: 'good' },
  missing: { words: 'Missing', tone: 'bad' },
  wrong: { words: 'Different', tone: 'bad' },
  unreachable: { words: 'DNS did not answer', tone: 'warning' },
  unchecked: { words: 'Not checked yet', tone: 'neutral' },
};

/** One record to set: where, what, and whether it is there. */
export function DnsRecord({ record }: { record: DomainRecord }) {
  const { title, why } = PURPOSES[record.purpose];
  const { words, tone } = STATUSES[record.status];
  return (
    <div className={classes.record}>
      <div className={classes.recordHead}>
        <strong>{title}</strong>
        <span className={classes.type}>{record.type}</span>
        <Badge tone={tone === 'bad' && !record.required ? 'warning' : tone}>{words}</Badge>
      </div>
      <Text size="sm" c="dimmed">
        {why}
      </Text>
      <Row label="Name" value={record.name} what={`${title} name`} />
      <Row label="Value" value={record.value} what={`${title} value`} />
      {record.message && (
        <Text size="sm" c={record.required ? 'var(--pb-bad-text)' : 'var(--pb-warning-text)'}>
          {record.message}
        </Text>
      )}
      {record.status === 'wrong' && record.found.length > 0 && (
        <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          Found: {record.found.join(' · ')}
        </Text>
      )}
    </div>
  );
}

function Row({ label, value, what }: { label: string; value: string; what: string }) {
  return (
    <div className={classes.row}>
      <span>{label}</span>
      <CopyValue value={value} label={`Copy: ${what}`} />
    </div>
  );
}
