import { Stack } from '@mantine/core';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { Problem } from '../components/Problem.tsx';

/** A page broke while it was drawn or loaded (a new version replaced its files, say): a reload gets the current one. */
export function PageError({ error }: ErrorComponentProps) {
  return (
    <Stack p="lg">
      <Problem
        error={error instanceof Error ? error : new Error(String(error))}
        title="This page could not be shown"
        onRetry={() => location.reload()}
      />
    </Stack>
  );
}
