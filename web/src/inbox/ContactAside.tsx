import { Drawer } from '@mantine/core';
import type { Conversation } from '../api/types.ts';
import { ContactPanel } from './ContactPanel.tsx';
import classes from './Thread.module.css';

interface Props {
  conversation: Conversation;
  /** There is room for it beside the messages; otherwise it slides over them. */
  wide: boolean;
  opened: boolean;
  onClose: () => void;
}

export function ContactAside({ conversation, wide, opened, onClose }: Props) {
  if (!wide) {
    return (
      <Drawer opened={opened} onClose={onClose} position="right" size="sm" title="Contact">
        <ContactPanel conversation={conversation} />
      </Drawer>
    );
  }
  if (!opened) return null;
  return (
    <aside className={classes.aside} aria-label="Contact">
      <ContactPanel conversation={conversation} />
    </aside>
  );
}
