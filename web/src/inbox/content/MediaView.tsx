import { UnstyledButton } from '@mantine/core';
import { IconDownload, IconFile, IconPhotoOff } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import type { MediaContent } from '../../../../server/src/model/content.ts';
import classes from './content.module.css';
import { Files } from './Files.tsx';
import { LinkedText } from './LinkedText.tsx';
import { MissingFile } from './MissingFile.tsx';
import { bytes } from './size.ts';

const Lightbox = lazy(() => import('./Lightbox.tsx').then(({ Lightbox }) => ({ default: Lightbox })));

/** One file: shown where the browser can, offered for download where it cannot. */
export function MediaView({ content }: { content: MediaContent }) {
  const { caption } = content;
  return (
    <div className={classes.media}>
      {content.more ? <Files files={[content.media, ...content.more]} /> : <Shown content={content} />}
      {caption && (
        <div className={classes.caption}>
          <LinkedText text={caption} />
        </div>
      )}
    </div>
  );
}

/** One file by itself. */
export function Shown({ content }: { content: MediaContent }) {
  const { type, media } = content;
  const name = media.filename ?? content.caption;
  if (media.state) return <MissingFile media={media} />;
  if (!media.url) return <Missing />;
  switch (type) {
    case 'image':
      return <Picture url={media.url} name={name} />;
    case 'sticker':
      return <img src={media.url} alt={name ?? 'A sticker'} className={classes.sticker} loading="lazy" />;
    case 'video':
      // biome-ignore lint/a11y/useMediaCaption: what a customer sends has no captions.
      return <video src={media.url} controls preload="metadata" className={classes.picture} aria-label={name ?? 'A video'} />;
    case 'audio':
      return (
        // biome-ignore lint/a11y/useMediaCaption: what a customer sends has no captions.
        <audio
          src={media.url}
          controls
          preload="metadata"
          className={classes.audio}
          aria-label={content.voice ? 'A voice message' : (name ?? 'A recording')}
        />
      );
    case 'file':
      return (
        <a href={media.url} download={media.filename ?? true} target="_blank" rel="noreferrer" className={classes.file}>
          <span className={classes.pin}>
            <IconFile size={20} aria-hidden />
          </span>
          <span className={classes.fileName}>
            <strong>{media.filename ?? 'A file'}</strong>
            <span className={classes.small}>{[media.mimeType, media.size && bytes(media.size)].filter(Boolean).join(' · ')}</span>
          </span>
          <IconDownload size={18} aria-hidden />
        </a>
      );
  }
}

function Picture({ url, name }: { url: string; name?: string }) {
  const [opened, setOpened] = useState(false);
  const [broken, setBroken] = useState(false);
  if (broken) return <Missing />;
  return (
    <>
      <UnstyledButton onClick={() => setOpened(true)} aria-label={`Enlarge ${name ?? 'the picture'}`} className={classes.pictureButton}>
        <img src={url} alt={name ?? 'A picture'} className={classes.picture} loading="lazy" onError={() => setBroken(true)} />
      </UnstyledButton>
      {opened && (
        <Suspense>
          <Lightbox url={url} name={name} onClose={() => setOpened(false)} />
        </Suspense>
      )}
    </>
  );
}

function Missing() {
  return (
    <span className={classes.missing}>
      <IconPhotoOff size={18} aria-hidden /> The file is not here.
    </span>
  );
}
