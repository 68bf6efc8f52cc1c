import { Button } from '@mantine/core';
import { IconPhotoOff } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { MediaRef } from '../../../../server/src/model/content.ts';
import { fetchMedia } from '../../api/workspace.ts';
import classes from './content.module.css';

/** A file that the provider has and we do not: what stood in the way, and the button that tries again now. */
export function MissingFile({ media: { id, state, problem } }: { media: MediaRef }) {
  const again = useMutation({ mutationFn: () => fetchMedia(id!) });
  if (!problem) return <span className={classes.missing}>The file is being fetched …</span>;
  const end = state === 'waiting' ? 'It is tried again by itself.' : 'It is not tried again by itself.';
  return (
    <span className={classes.missing}>
      <IconPhotoOff size={18} aria-hidden />
      <span>
        The file could not be fetched: {(again.error?.message ?? problem).replace(/\.$/, '')}. {end}
      </span>
      {id && (
        <Button size="compact-xs" variant="default" loading={again.isPending} onClick={() => again.mutate()}>
          Fetch again
        </Button>
      )}
    </span>
  );
}
