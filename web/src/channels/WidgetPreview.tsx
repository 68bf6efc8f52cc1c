import { Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Section } from '../components/Page.tsx';
import { filledValues, type Values } from '../components/schema-values.ts';
import classes from './channels.module.css';

const PAUSE_MS = 300;

/** The widget as visitors will see it, with what stands in the form right now; nothing that is written in it is sent. */
export function WidgetPreview({ channelId, config }: { channelId: string; config?: Values }) {
  const [shown] = useDebouncedValue(config, PAUSE_MS);
  const query = new URLSearchParams({ channel_id: channelId, preview: '1' });
  const filled = filledValues({}, shown ?? {});
  if (Object.keys(filled).length > 0) query.set('config', JSON.stringify(filled));
  return (
    <div className={classes.preview}>
      <Section title="Preview">
        <Text size="sm" c="dimmed" mb="sm">
          Changes with the form; visitors see it once it is saved.
        </Text>
        <iframe title="Preview of the chat" src={`/demo?${query}`} />
      </Section>
    </div>
  );
}
