import { Text } from '@mantine/core';
import type { ChannelDetails } from '../api/types.ts';
import { CopyButton } from '../components/CopyButton.tsx';
import { Section } from '../components/Page.tsx';
import classes from './channels.module.css';

/** What has to be entered elsewhere: at the provider, or on one's own page. */
export function SetupRows({ channel }: { channel: ChannelDetails }) {
  const rows = channel.source === 'chatplugin' ? withSnippet(channel) : channel.setup;
  if (rows.length === 0) return null;
  return (
    <Section title="Set up">
      <div className={classes.setup}>
        {rows.map(({ label, value, help }) => (
          <div key={label}>
            <Text size="sm" fw={600}>
              {label}
            </Text>
            {help && (
              <Text size="sm" c="dimmed" mb={4}>
                {help}
              </Text>
            )}
            <div className={classes.value}>
              <code>{value}</code>
              <CopyButton value={value} label={`Copy: ${label}`} />
            </div>
          </div>
        ))}
      </div>
    </Section>
  );
}

/** The script tag of the live chat, unless its connector tells it itself. */
function withSnippet(channel: ChannelDetails): ChannelDetails['setup'] {
  if (channel.setup.some(({ value }) => value.includes('<script'))) return channel.setup;
  const snippet = {
    label: 'Script tag',
    value: `<script async src="${location.origin}/widget.js" data-channel-id="${channel.id}"></script>`,
    help: 'Put this before </body> on every page that shall show the chat.',
  };
  return [snippet, ...channel.setup];
}
