import { Link } from '@tanstack/react-router';
import type { ChannelDetails } from '../api/types.ts';
import { ChannelIcon, useChannelOf } from '../components/ChannelIcon.tsx';
import { Badge, StatusBadge } from '../components/StatusBadge.tsx';
import { ago } from '../components/time.ts';
import { adviceFor } from './advice.ts';
import classes from './channels.module.css';

export function ChannelRow({ channel }: { channel: ChannelDetails }) {
  const { source } = useChannelOf(channel.id);
  const advice = adviceFor(channel);
  return (
    <Link to="/channels/$channelId" params={{ channelId: channel.id }} className={classes.row}>
      <ChannelIcon channelId={channel.id} size={42} />
      <span className={classes.title}>
        <span className={classes.name}>
          {channel.name} {channel.sandbox && <Badge tone="neutral">Sandbox</Badge>}
        </span>
        <span className={classes.small}>
          {source?.title ?? channel.source}
          {channel.sourceChannelId !== channel.name && ` · ${channel.sourceChannelId}`}
        </span>
        {advice && <span className={classes.advice}>{advice}</span>}
      </span>
      <span className={classes.last}>
        <span>In: {ago(channel.lastInAt)}</span>
        <span>Out: {ago(channel.lastOutAt)}</span>
      </span>
      <StatusBadge status={channel.status} />
    </Link>
  );
}
