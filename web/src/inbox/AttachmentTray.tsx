import { Anchor, CloseButton, Progress } from '@mantine/core';
import { IconFile } from '@tabler/icons-react';
import classes from './Composer.module.css';
import { bytes } from './content/size.ts';
import type { Attachment } from './use-attachments.ts';

interface Props {
  items: Attachment[];
  onRemove: (key: string) => void;
  onRetry: (key: string) => void;
}

/** The files of a message that is being written. */
export function AttachmentTray({ items, onRemove, onRetry }: Props) {
  if (items.length === 0) return null;
  return (
    <div className={classes.tray}>
      {items.map(({ key, file, preview, progress, stored, problem }) => (
        <div key={key} className={classes.attachment} data-failed={problem ? true : undefined}>
          {preview ? (
            <img src={preview} alt="" className={classes.thumb} />
          ) : (
            <span className={classes.thumb}>
              <IconFile size={18} aria-hidden />
            </span>
          )}
          <div className={classes.attachmentText}>
            <div className={classes.attachmentName}>{file.name}</div>
            {problem ? (
              <div role="alert" style={{ color: 'var(--pb-bad-text)' }}>
                {problem}{' '}
                <Anchor component="button" type="button" size="xs" onClick={() => onRetry(key)}>
                  Try again
                </Anchor>
              </div>
            ) : stored ? (
              <span style={{ opacity: 0.7 }}>{bytes(file.size)}</span>
            ) : (
              <Progress value={progress * 100} size="xs" mt={6} aria-label={`Uploading ${file.name}`} />
            )}
          </div>
          <CloseButton size="xs" className={classes.remove} onClick={() => onRemove(key)} aria-label={`Remove ${file.name}`} />
        </div>
      ))}
    </div>
  );
}
