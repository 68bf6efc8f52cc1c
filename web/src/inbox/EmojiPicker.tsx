import { ActionIcon, Popover, Tooltip, UnstyledButton } from '@mantine/core';
import { IconMoodSmile } from '@tabler/icons-react';
import { useState } from 'react';
import classes from './Composer.module.css';

/** What people in customer service write; the keyboard of the system has the rest. */
const EMOJIS = [
  ...['🙂', '😊', '😄', '😁', '😅', '😂', '😉', '😍', '😘', '🤗', '🤔', '😐', '😕', '😢', '😮', '😴'],
  ...['👍', '👎', '👏', '🙌', '🙏', '💪', '👋', '👌', '✌️', '🤝', '👀', '💬', '❤️', '💙', '✨', '🎉'],
  ...['✅', '❌', '⚠️', '❓', '❗', '⏰', '📅', '📍', '📦', '🚚', '💳', '🧾', '🔧', '📷', '📎', '☎️'],
];

export function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const [opened, setOpened] = useState(false);
  return (
    <Popover opened={opened} onChange={setOpened} position="top-start" shadow="md" trapFocus>
      <Popover.Target>
        <Tooltip label="Emoji" disabled={opened}>
          <ActionIcon size="lg" onClick={() => setOpened(!opened)} aria-label="Emoji">
            <IconMoodSmile size={20} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown p={8}>
        <div className={classes.emojis}>
          {EMOJIS.map((emoji) => (
            <UnstyledButton
              key={emoji}
              className={classes.emoji}
              onClick={() => {
                onPick(emoji);
                setOpened(false);
              }}
            >
              {emoji}
            </UnstyledButton>
          ))}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
