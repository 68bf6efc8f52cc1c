import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import type { ChannelDetails } from '../api/types.ts';
import { Section } from '../components/Page.tsx';
import { sentence } from '../components/Problem.tsx';
import { ago, fullTime } from '../components/time.ts';
import classes from './channels.module.css';
import { detailFacts, type Fact } from './details.ts';

/** When it last worked, what went wrong last, and what the provider says about the account. */
export function ChannelHealth({ channel }: { channel: ChannelDetails }) {
  const { lastInAt, lastOutAt, lastError, health, healthAt, createdAt, details, sourceChannelId } = channel;
  const facts: Fact[] = [
    { label: 'Last message in', value: ago(lastInAt), exact: lastInAt },
    { label: 'Last message out', value: ago(lastOutAt), exact: lastOutAt },
    { label: 'Last check', value: ago(healthAt), exact: healthAt },
    ...(health?.expiresAt ? [{ label: 'Credentials end', value: ago(health.expiresAt), exact: health.expiresAt }] : []),
  ];
  const account: Fact[] = [
    { label: 'Id at the provider', value: sourceChannelId },
    { label: 'Connected', value: fullTime(createdAt) },
    ...detailFacts(details),
  ];
  return (
    <Section title="How it does">
      <Facts facts={facts} />
      {lastError && (
        <dl className={classes.facts}>
          <div className={classes.wideFact}>
            <dt title={fullTime(lastError.at)}>Last error, {ago(lastError.at)}</dt>
            <dd className={classes.bad}>{sentence(lastError.message)}</dd>
          </div>
        </dl>
      )}
      {health?.checks && health.checks.length > 0 && (
        <ul className={classes.checks} aria-label="Checks">
          {health.checks.map(({ name, ok, message }) => (
            <li key={name}>
              {ok ? (
                <IconCircleCheck size={18} color="var(--pb-good)" aria-label="All right" />
              ) : (
                <IconCircleX size={18} color="var(--pb-bad)" aria-label="Not right" />
              )}
              <span>
                {name.charAt(0).toUpperCase() + name.slice(1)}
                {message && `: ${message}`}
              </span>
            </li>
          ))}
        </ul>
      )}
      <details className={classes.account}>
        <summary>The account at the provider</summary>
        <Facts facts={account} />
      </details>
    </Section>
  );
}

function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl className={classes.facts}>
      {facts.map(({ label, value, exact }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd title={exact ? fullTime(exact) : undefined}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
