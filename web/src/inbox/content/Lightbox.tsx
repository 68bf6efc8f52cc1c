import { Anchor, Modal } from '@mantine/core';
import classes from './content.module.css';

/** A picture as large as the window allows. */
export function Lightbox({ url, name, onClose }: { url: string; name?: string; onClose: () => void }) {
  return (
    <Modal
      opened
      onClose={onClose}
      fullScreen
      title={
        <Anchor href={url} download={name ?? true} target="_blank" rel="noreferrer" size="sm">
          {name ?? 'Download the picture'}
        </Anchor>
      }
    >
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: Escape and the close button do the same. */}
      <img src={url} alt={name ?? 'A picture'} className={classes.enlarged} onClick={onClose} />
    </Modal>
  );
}
