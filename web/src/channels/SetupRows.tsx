import { Button, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ChannelDetails } from '../api/types.ts';
import { channelSetup } from '../api/workspace.ts';
import { CopyValue } from '../components/CopyValue.tsx';
import { Section } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import classes from './channels.module.css';

/** What has to be entered elsewhere: at the provider, or on one's own page. */
export function SetupRows({ channel }: { channel: ChannelDetails }) {
  const secrets = useMutation({ mutationFn: () => channelSetup(channel.id) });
  const rows = channel.setup.map((row) => (row.secret ? (secrets.data?.find(({ label }) => label === row.label) ?? row) : row));
  if (rows.length === 0) return null;
  return (
    <Section title="Set up">
      <div className={classes.setup}>
        {rows.map(({ label, value, help, secret }, step) => (
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
              {secret && !value && secrets.data && <Text size="sm">The one that you gave when connecting</Text>}
              {secret && !value && !secrets.data && (
                <Button size="compact-sm" variant="default" loading={secrets.isPending} onClick={() => secrets.mutate()}>
                  Show
                </Button>
              )}
              {secret && secrets.error && <Problem error={secrets.error} title="It cannot be shown" />}
              {value && <CopyValue value={value} label={`Copy: ${label}`} />}
            </div>
          </div>
        ))}
      </div>
    </Section>
  );
}
