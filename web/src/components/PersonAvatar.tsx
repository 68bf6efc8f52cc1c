import { Avatar } from '@mantine/core';
import { ChannelIcon } from './ChannelIcon.tsx';
import classes from './PersonAvatar.module.css';

interface Props {
  name: string;
  imageUrl?: string | null;
  size?: number;
  /** Shows through which channel the person writes. */
  channelId?: string;
}

/** Somebody's picture, or their initials in a colour that stays theirs. */
export function PersonAvatar({ name, imageUrl, size = 40, channelId }: Props) {
  return (
    <span className={classes.person}>
      <Avatar src={imageUrl || null} name={name} color="initials" size={size} radius="xl" alt="" />
      {channelId && (
        <span className={classes.channel}>
          <ChannelIcon channelId={channelId} size={17} />
        </span>
      )}
    </span>
  );
}
