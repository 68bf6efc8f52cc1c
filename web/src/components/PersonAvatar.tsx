import { Avatar } from '@mantine/core';
import { ChannelIcon } from './ChannelIcon.tsx';
import classes from './PersonAvatar.module.css';
import { initialsOf } from './person.ts';

interface Props {
  name: string;
  imageUrl?: string | null;
  size?: number;
  /** Shows through which channel the person writes. */
  channelId?: string;
}

/** Somebody's picture, or their initials in a colour that stays theirs; a head for those who have no letters in their name. */
export function PersonAvatar({ name, imageUrl, size = 40, channelId }: Props) {
  const initials = initialsOf(name);
  return (
    <span className={classes.person}>
      <Avatar src={imageUrl || null} name={initials && name} color={initials ? 'initials' : 'gray'} size={size} radius="xl" alt="">
        {initials || undefined}
      </Avatar>
      {channelId && (
        <span className={classes.channel}>
          <ChannelIcon channelId={channelId} size={17} />
        </span>
      )}
    </span>
  );
}
