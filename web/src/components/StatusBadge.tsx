import type { ChannelStatus } from '../api/types.ts';
import classes from './StatusBadge.module.css';

type Tone = 'good' | 'warning' | 'bad' | 'neutral';

const STATUSES: Record<ChannelStatus, { words: string; tone: Tone }> = {
  active: { words: 'Connected', tone: 'good' },
  'setting-up': { words: 'Being set up', tone: 'warning' },
  pending: { words: 'Waits for you', tone: 'warning' },
  warning: { words: 'Needs attention', tone: 'warning' },
  failed: { words: 'Does not work', tone: 'bad' },
  inactive: { words: 'Disconnected', tone: 'neutral' },
  deleted: { words: 'Deleted', tone: 'neutral' },
};

/** A channel's status in colour and in words. */
export function StatusBadge({ status }: { status: ChannelStatus }) {
  const { words, tone } = STATUSES[status];
  return <Badge tone={tone}>{words}</Badge>;
}

export function Badge({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span className={classes.badge} data-tone={tone}>
      {children}
    </span>
  );
}
