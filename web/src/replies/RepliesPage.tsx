import { Button, Group, Skeleton, Text } from '@mantine/core';
import { IconMessage2Plus, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { queryClient } from '../api/query-client.ts';
import { deleteReply, savedRepliesQuery } from '../api/templates.ts';
import type { SavedReply } from '../api/types.ts';
import { Confirm } from '../components/Confirm.tsx';
import { EmptyState } from '../components/EmptyState.tsx';
import { Page } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import rows from '../components/Rows.module.css';
import { Badge } from '../components/StatusBadge.tsx';
import { ReplyEditor } from './ReplyEditor.tsx';
import classes from './replies.module.css';

/** What one writes again and again, kept to be inserted with `/` in the inbox. */
export function RepliesPage() {
  const { data: replies, error, isPending, refetch } = useQuery(savedRepliesQuery);
  const [editing, setEditing] = useState<SavedReply | 'new'>();
  const [deleting, setDeleting] = useState<SavedReply>();
  const add = (
    <Button leftSection={<IconPlus size={18} />} onClick={() => setEditing('new')}>
      New reply
    </Button>
  );
  return (
    <Page title="Saved replies" about="Write / in a conversation to insert one; names in it are filled in." actions={add}>
      {error && <Problem error={error} title="The replies could not be read" onRetry={() => void refetch()} />}
      {isPending && <Skeleton height={160} radius="md" aria-hidden />}
      {replies?.length === 0 && (
        <div className={rows.empty}>
          <EmptyState icon={IconMessage2Plus} title="No saved reply yet" action={add}>
            Save what you write often: opening hours, how to return something, a friendly goodbye.
          </EmptyState>
        </div>
      )}
      {replies && replies.length > 0 && (
        <ul className={rows.list}>
          {replies.map((reply) => (
            <li key={reply.id} className={classes.reply}>
              <div className={classes.words}>
                <div className={classes.title}>
                  <strong>{reply.title}</strong>
                  {reply.category && <Badge tone="neutral">{reply.category}</Badge>}
                </div>
                <Text size="sm" c="dimmed" lineClamp={3} style={{ whiteSpace: 'pre-line' }}>
                  {reply.body}
                </Text>
              </div>
              <Group gap={4} wrap="nowrap">
                <Button size="compact-sm" variant="default" onClick={() => setEditing(reply)} aria-label={`Change ${reply.title}`}>
                  Change
                </Button>
                <Button
                  size="compact-sm"
                  variant="subtle"
                  color="red"
                  onClick={() => setDeleting(reply)}
                  aria-label={`Delete ${reply.title}`}
                >
                  Delete
                </Button>
              </Group>
            </li>
          ))}
        </ul>
      )}
      {editing && <ReplyEditor reply={editing === 'new' ? undefined : editing} onClose={() => setEditing(undefined)} />}
      {deleting && (
        <Confirm
          title={`Delete ${deleting.title}?`}
          verb="Delete"
          failed="Not deleted"
          action={() => deleteReply(deleting.id).then(() => queryClient.invalidateQueries({ queryKey: savedRepliesQuery.queryKey }))}
          onClose={() => setDeleting(undefined)}
        >
          Nobody can insert it any more. Messages that were sent with it stay.
        </Confirm>
      )}
    </Page>
  );
}
