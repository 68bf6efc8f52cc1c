import { Tooltip } from '@mantine/core';
import { IconAlertCircle, IconCalendarTime, IconCheck, IconChecks, IconClock, IconHelpCircle, type TablerIcon } from '@tabler/icons-react';
import type { MessageState } from '../api/types.ts';

const MARKS: Record<MessageState, { icon: TablerIcon; words: string; color?: string }> = {
  scheduled: { icon: IconCalendarTime, words: 'Goes out later' },
  pending: { icon: IconClock, words: 'On its way' },
  unknown: { icon: IconHelpCircle, words: 'Handed over, not confirmed yet: it is never sent twice', color: 'var(--pb-warning)' },
  sent: { icon: IconCheck, words: 'Sent' },
  failed: { icon: IconAlertCircle, words: 'Not sent', color: 'var(--pb-bad)' },
  delivered: { icon: IconChecks, words: 'Delivered' },
  read: { icon: IconChecks, words: 'Read', color: 'var(--mantine-primary-color-filled)' },
};

/** How far a message has come. */
export function DeliveryMark({ state }: { state: MessageState }) {
  const { icon: Icon, words, color } = MARKS[state];
  return (
    <Tooltip label={words}>
      <span role="img" aria-label={words} style={{ display: 'inline-flex' }}>
        <Icon size={15} stroke={2} color={color ?? 'currentColor'} />
      </span>
    </Tooltip>
  );
}
