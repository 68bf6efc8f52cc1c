import { TagsInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { putConversation } from '../api/cache.ts';
import { queryClient } from '../api/query-client.ts';
import type { Conversation } from '../api/types.ts';
import { changeConversation } from '../api/workspace.ts';

/** The conversation's tags; what is typed becomes one with Enter. */
export function TagEditor({ conversation }: { conversation: Conversation }) {
  const { id, tags } = conversation;
  const change = useMutation({
    mutationFn: (next: string[]) =>
      changeConversation(id, {
        tags: { add: next.filter((tag) => !tags.includes(tag)), remove: tags.filter((tag) => !next.includes(tag)) },
      }),
    onSuccess: (changed) => putConversation(queryClient, changed),
  });
  return (
    <TagsInput
      aria-label="Tags"
      size="sm"
      placeholder={tags.length === 0 ? 'Add a tag' : undefined}
      value={change.isPending ? change.variables : tags}
      onChange={(next) => change.mutate(next)}
      error={change.error?.message}
      maxLength={60}
      acceptValueOnBlur
    />
  );
}
