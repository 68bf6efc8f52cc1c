import type { MediaRef } from '../../../../server/src/model/content.ts';
import { kindOf } from '../compose.ts';
import classes from './content.module.css';
import { Shown } from './MediaView.tsx';

/** Several files of one message: pictures as small ones side by side, the others below each other. */
export function Files({ files }: { files: MediaRef[] }) {
  const pictures = files.filter(({ mimeType }) => mimeType?.startsWith('image/'));
  const others = files.filter(({ mimeType }) => !mimeType?.startsWith('image/'));
  return (
    <div className={classes.files}>
      {pictures.length > 0 && (
        <div className={classes.gallery}>
          {pictures.map((media, at) => (
            <Shown key={media.id ?? media.url ?? at} content={{ type: 'image', media }} />
          ))}
        </div>
      )}
      {others.map((media, at) => (
        <Shown key={media.id ?? media.url ?? at} content={{ type: kindOf(media.mimeType ?? ''), media }} />
      ))}
    </div>
  );
}
