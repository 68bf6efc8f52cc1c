import { ActionIcon, Popover, Tooltip, UnstyledButton } from '@mantine/core';
import { IconMoodPlus } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { putMessage } from '../api/cache.ts';
import { queryClient } from '../api/query-client.ts';
import type { Message } from '../api/types.ts';
import { reactTo } from '../api/workspace.ts';
import bubble from './Bubble.module.css';
import classes from './Composer.module.css';

const EMOJIS = ['👍', '❤️', '😂', '😮', '😢', '🙏'];

/** Our own reaction to a customer's message; choosing the same one again takes it away. */
export function ReactionPicker({ message }: { message: Message }) {
  const [opened, setOpened] = useState(false);
  const own = message.ownReaction?.emoji;
  const react = useMutation({
    mutationFn: (emoji: string | null) => reactTo(message.id, emoji),
    onSuccess: (changed) => {
      putMessage(queryClient, changed);
      setOpened(false);
    },
  });
  return (
    <Popover opened={opened} onChange={setOpened} position="top" shadow="md" trapFocus>
      <Popover.Target>
        <Tooltip label="React" disabled={opened}>
          <ActionIcon className={bubble.tool} size="sm" onClick={() => setOpened(!opened)} aria-label="React to this message">
            <IconMoodPlus size={16} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown p={6}>
        <div className={classes.reactions}>
          {EMOJIS.map((emoji) => (
            <UnstyledButton
              key={emoji}
              className={classes.emoji}
              data-chosen={emoji === own || undefined}
              disabled={react.isPending}
              onClick={() => react.mutate(emoji === own ? null : emoji)}
            >
              {emoji}
            </UnstyledButton>
          ))}
        </div>
        {react.error && (
          <div className={classes.reactionProblem} role="alert">
            {react.error.message}
          </div>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
