import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { memo } from 'react';
import { putMessage } from '../api/cache.ts';
import { queryClient } from '../api/query-client.ts';
import type { Message } from '../api/types.ts';
import { capabilitiesQuery, resendMessage } from '../api/workspace.ts';
import { clockTime, fullTime } from '../components/time.ts';
import classes from './Bubble.module.css';
import { ContentView } from './content/ContentView.tsx';
import { DeliveryMark } from './DeliveryMark.tsx';
import { ReactionPicker } from './ReactionPicker.tsx';
import { ScheduledNote } from './ScheduledNote.tsx';
import { summaryOf } from './summary.ts';

/** Kinds that look better without a bubble around them. */
const BARE = new Set(['sticker']);
/** Kinds that need the whole width. */
const WIDE = new Set(['email', 'cards', 'template']);

interface Props {
  message: Message;
  /** The message that this one answers. */
  answered?: Message;
  /** The last of its group shows the time. */
  last: boolean;
  onReplyTo: () => void;
}

export const Bubble = memo(function Bubble({ message, answered, last, onReplyTo }: Props) {
  const { data: capabilities } = useQuery(capabilitiesQuery(message.channelId));
  const ours = message.direction === 'outgoing';
  const type = message.content.type;
  return (
    <div className={classes.item} data-message={message.id}>
      <div className={classes.line}>
        <div
          className={classes.bubble}
          data-bare={BARE.has(type) || undefined}
          data-wide={WIDE.has(type) || undefined}
          data-failed={message.state === 'failed' || undefined}
          title={fullTime(message.createdAt)}
        >
          {answered && type !== 'email' && <div className={classes.quote}>{summaryOf(answered.content)}</div>}
          <ContentView content={message.content} messageId={ours ? undefined : message.id} />
          {message.reaction?.emoji && (
            <span className={classes.reaction} role="img" aria-label={`Reaction: ${message.reaction.emoji}`}>
              {message.reaction.emoji}
            </span>
          )}
          {message.ownReaction?.emoji && (
            <span className={classes.reaction} role="img" aria-label={`Your reaction: ${message.ownReaction.emoji}`}>
              {message.ownReaction.emoji}
            </span>
          )}
        </div>
        {capabilities?.reactions?.out && !ours && <ReactionPicker message={message} />}
        {capabilities?.replies && (
          <Tooltip label="Answer this message">
            <ActionIcon className={classes.tool} size="sm" onClick={onReplyTo} aria-label="Answer this message">
              <IconArrowBackUp size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      {ours && message.state === 'failed' ? (
        <Failure message={message} />
      ) : ours && message.state === 'scheduled' ? (
        <ScheduledNote message={message} />
      ) : (
        last && (
          <span className={classes.meta}>
            <time dateTime={message.createdAt}>{clockTime(message.createdAt)}</time>
            {ours && <DeliveryMark state={message.state} />}
          </span>
        )
      )}
    </div>
  );
});

/** Why a message was not sent, what to do about it, and the button that tries again. */
function Failure({ message }: { message: Message }) {
  const again = useMutation({
    mutationFn: () => resendMessage(message.id),
    onSuccess: (sent) => putMessage(queryClient, sent),
  });
  const { error } = message;
  const words = again.error?.message ?? error?.message ?? 'The provider refused it.';
  const theirs = error?.providerMessage && error.providerMessage !== words ? error.providerMessage : undefined;
  return (
    <div className={classes.failure} role="alert">
      <span>
        <strong>Not sent.</strong> {words}
        {error?.hint && ` ${error.hint}`}
        {theirs && <span className={classes.theirs}> The provider said: “{theirs}”</span>}
      </span>
      <Button size="compact-xs" variant="light" color="red" loading={again.isPending} onClick={() => again.mutate()}>
        Send again
      </Button>
    </div>
  );
}
