import { Text, Tooltip } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { Conversation } from '../api/types.ts';
import { previewMessage } from '../api/workspace.ts';
import { useChannelOf } from '../components/ChannelIcon.tsx';

const PAUSE_MS = 300;

/** In how many parts a text message is sent and billed, on channels that cut them. */
export function PartCount({ conversation, text }: { conversation: Conversation; text: string }) {
  const { source } = useChannelOf(conversation.channelId);
  const [written] = useDebouncedValue(text.trim(), PAUSE_MS);
  const { data } = useQuery({
    queryKey: ['parts', conversation.id, written],
    queryFn: ({ signal }) => previewMessage(conversation.id, { type: 'text', text: { text: written } }, signal),
    enabled: source?.category === 'sms' && written !== '',
    placeholderData: keepPreviousData,
    gcTime: 0,
  });
  if (!text.trim() || !data?.estimate) return null;
  const { parts, remaining, encoding, notes } = data.estimate;
  return (
    <Tooltip label={[encoding, ...notes].join('. ')} multiline maw={320}>
      <Text size="xs" c={parts > 1 ? 'var(--pb-warning-text)' : 'dimmed'} role="status">
        {parts === 1 ? '1 part' : `${parts} parts`} · {remaining} left
      </Text>
    </Tooltip>
  );
}
