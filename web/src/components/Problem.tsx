import { Button, Group } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { ApiError } from '../api/client.ts';
import { Notice } from './Notice.tsx';

/** Something failed here: the server's words, and a button where trying again makes sense. */
export function Problem({ error, title, onRetry }: { error: Error; title?: string; onRetry?: () => void }) {
  // Trying again does not help a key that may not do this; another key does.
  const forbidden = error instanceof ApiError && error.status === 403;
  return (
    <Notice tone="bad" icon={IconAlertTriangle} title={title} role="alert">
      <Group justify="space-between" gap="xs" wrap="wrap">
        <span>
          {sentence(error.message)}
          {forbidden && ' Sign in with a key that may do this.'}
        </span>
        {onRetry && !forbidden && (
          <Button size="compact-sm" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Group>
    </Notice>
  );
}

/** The server's words as a sentence. */
export function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…”]$/.test(begun) ? begun : `${begun}.`;
}
