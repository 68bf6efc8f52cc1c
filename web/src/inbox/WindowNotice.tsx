import { Button } from '@mantine/core';
import { IconClockHour4, IconLock, IconPlugConnectedX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useState } from 'react';
import type { Conversation } from '../api/types.ts';
import { capabilitiesQuery } from '../api/workspace.ts';
import { ButtonLink } from '../components/ButtonLink.tsx';
import { useChannelOf } from '../components/ChannelIcon.tsx';
import { timeLeft } from '../components/time.ts';
import classes from './Composer.module.css';

const TemplatePicker = lazy(() => import('./TemplatePicker.tsx').then(({ TemplatePicker }) => ({ default: TemplatePicker })));

const SOON_MS = 2 * 3600_000;
const TICK_MS = 30_000;

export type Obstacle = { kind: 'window' } | { kind: 'channel'; channelId: string };

/** Whether one may write here now, and how long still. */
export function useReplyState(conversation: Conversation): { obstacle?: Obstacle; leftMs?: number } {
  const { channel } = useChannelOf(conversation.channelId);
  const now = useNow();
  if (channel?.status === 'inactive') return { obstacle: { kind: 'channel', channelId: channel.id } };
  if (conversation.isPermanentSession) return {};
  const leftMs = conversation.serviceWindowExpireAt ? new Date(conversation.serviceWindowExpireAt).getTime() - now : 0;
  return leftMs <= 0 ? { obstacle: { kind: 'window' } } : { leftMs };
}

/** How long one may still answer freely, on channels where that ends. */
export function WindowNotice({ conversation }: { conversation: Conversation }) {
  const { leftMs } = useReplyState(conversation);
  if (leftMs === undefined) return null;
  return (
    <div className={classes.notice} data-soon={leftMs < SOON_MS || undefined}>
      <IconClockHour4 size={15} aria-hidden />
      You can answer freely for another {timeLeft(leftMs)}.
    </div>
  );
}

/** Stands where the reply would be written. */
export function ReplyObstacle({ obstacle, conversation }: { obstacle: Obstacle; conversation: Conversation }) {
  if (obstacle.kind === 'channel') {
    return (
      <div className={classes.obstacle} role="status">
        <IconPlugConnectedX size={20} aria-hidden />
        <div>This channel is disconnected. What was said stays; to answer, connect it again.</div>
        <ButtonLink to="/channels/$channelId" params={{ channelId: obstacle.channelId }} size="xs" variant="default">
          Open the channel
        </ButtonLink>
      </div>
    );
  }
  return <WindowClosed conversation={conversation} />;
}

function WindowClosed({ conversation }: { conversation: Conversation }) {
  const { data: capabilities } = useQuery(capabilitiesQuery(conversation.channelId));
  const [picking, setPicking] = useState(false);
  return (
    <div className={classes.obstacle} role="status">
      <IconLock size={20} aria-hidden />
      <div>
        <strong>The time for free answers is over.</strong> The provider allows them only for a while after the customer's last message.
        {capabilities?.templates
          ? ' Until they write again, an approved template goes through.'
          : ' As soon as they write again, you can answer here.'}
      </div>
      {capabilities?.templates && (
        <Button size="xs" onClick={() => setPicking(true)}>
          Send a template
        </Button>
      )}
      {picking && (
        <Suspense>
          <TemplatePicker conversation={conversation} onClose={() => setPicking(false)} />
        </Suspense>
      )}
    </div>
  );
}

function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
