import { Text } from '@mantine/core';
import type { ChannelDetails } from '../api/types.ts';
import { CopyValue } from '../components/CopyValue.tsx';
import { Section } from '../components/Page.tsx';
import classes from './channels.module.css';

/** What has to be entered elsewhere: at the provider, or on one's own page. */
export function SetupRows({ channel }: { channel: ChannelDetails }) {
  const rows = channel.setup;
  if (rows.length === 0) return null;
  return (
    <Section title="Set up">
      <div className={classes.setup}>
        {rows.map(({ label, value, help }, step) => (
          <div key={label} className={classes.step}>
            {rows.length > 1 && <span className={classes.stepNumber}>{step + 1}</span>}
            <div>
              <Text size="sm" fw={600}>
                {label}
              </Text>
              {help && (
                <Text size="sm" c="dimmed" mb={4}>
                  {help}
                </Text>
              )}
              {value && <CopyValue value={value} label={`Copy: ${label}`} />}
            </div>
          </div>
        ))}
      </div>
    </Section>
  );
}
