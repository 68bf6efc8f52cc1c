import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconArchive, IconArrowBackUp, IconChevronLeft, IconInfoCircle } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Conversation } from '../api/types.ts';
import { ChannelIcon, useChannelOf } from '../components/ChannelIcon.tsx';
import { PersonAvatar } from '../components/PersonAvatar.tsx';
import { personName } from '../components/person.ts';
import { toggleStatus } from './shortcuts.ts';
import classes from './Thread.module.css';

interface Props {
  conversation: Conversation;
  aside: boolean;
  onToggleAside: () => void;
}

export function ThreadHeader({ conversation, aside, onToggleAside }: Props) {
  const { contact, channelId, subject, status } = conversation;
  const { channel, source } = useChannelOf(channelId);
  const toggle = useMutation({ mutationFn: () => toggleStatus(conversation.id) });
  const open = status === 'active';
  return (
    <header className={classes.header}>
      <ActionIcon component={Link} to="/inbox" search={true} className={classes.back} size="lg" aria-label="Back to the list">
        <IconChevronLeft size={22} />
      </ActionIcon>
      <PersonAvatar name={personName(contact.computedDisplayName)} imageUrl={contact.avatarUrl} />
      <div className={classes.who}>
        <h2 className={classes.name}>{subject || personName(contact.computedDisplayName)}</h2>
        <div className={classes.where}>
          <ChannelIcon channelId={channelId} size={15} />
          <span>
            {subject ? `${personName(contact.computedDisplayName)} · ` : ''}
            {channel?.name}
            {source && channel?.name !== source.title ? ` · ${source.title}` : ''}
          </span>
        </div>
      </div>
      <Button
        variant="default"
        size="xs"
        leftSection={open ? <IconArchive size={16} /> : <IconArrowBackUp size={16} />}
        onClick={() => toggle.mutate()}
        loading={toggle.isPending}
        title={toggle.error?.message}
      >
        {open ? 'Close' : 'Open again'}
      </Button>
      <Tooltip label={aside ? 'Hide the contact' : 'Show the contact'}>
        <ActionIcon size="lg" onClick={onToggleAside} aria-label="Contact" aria-pressed={aside}>
          <IconInfoCircle size={20} />
        </ActionIcon>
      </Tooltip>
    </header>
  );
}
