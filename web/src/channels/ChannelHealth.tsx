import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import type { ChannelDetails } from '../api/types.ts';
import { titleOf } from '../components/field-title.ts';
import { Section } from '../components/Page.tsx';
import { ago, fullTime } from '../components/time.ts';
import classes from './channels.module.css';

/** When it last worked, what went wrong last, and what the provider says about the account. */
export function ChannelHealth({ channel }: { channel: ChannelDetails }) {
  const { lastInAt, lastOutAt, lastError, health, healthAt, createdAt, details, sourceChannelId } = channel;
  const facts: [string, string][] = [
    ['Last message in', ago(lastInAt)],
    ['Last message out', ago(lastOutAt)],
    ['Last check', ago(healthAt)],
    ...(health?.expiresAt ? [['Credentials end', fullTime(health.expiresAt)] as [string, string]] : []),
    ['Id at the provider', sourceChannelId],
    ['Connected', fullTime(createdAt)],
    ...Object.entries(details).flatMap(([name, value]): [string, string][] =>
      ['string', 'number', 'boolean'].includes(typeof value) && value !== '' ? [[titleOf(name, {}), String(value)]] : [],
    ),
  ];
  return (
    <Section title="How it does">
      <dl className={classes.facts}>
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {lastError && (
          <div style={{ gridColumn: '1 / -1' }}>
            <dt>Last error, {ago(lastError.at)}</dt>
            <dd style={{ color: 'var(--pb-bad-text)' }}>{lastError.message}</dd>
          </div>
        )}
        {health?.checks?.map(({ name, ok, message }) => (
          <div key={name} className={classes.check}>
            {ok ? (
              <IconCircleCheck size={18} color="var(--pb-good)" aria-label="All right" />
            ) : (
              <IconCircleX size={18} color="var(--pb-bad)" aria-label="Not right" />
            )}
            <span>
              {name.charAt(0).toUpperCase() + name.slice(1)}
              {message && `: ${message}`}
            </span>
          </div>
        ))}
      </dl>
    </Section>
  );
}
