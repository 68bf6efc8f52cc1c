import { Button, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { deleteAccount, smsAccountsQuery } from '../api/numbers.ts';
import { queryClient } from '../api/query-client.ts';
import { sessionQuery } from '../api/session.ts';
import type { Integration } from '../api/types.ts';
import { Confirm } from '../components/Confirm.tsx';
import { Section } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import rows from '../components/Rows.module.css';
import { AccountForm } from './AccountForm.tsx';

/** The Twilio accounts that numbers come from, beside the installation's own. */
export function Accounts() {
  const { data: session } = useQuery(sessionQuery);
  const { data: accounts, error, refetch } = useQuery(smsAccountsQuery);
  const [editing, setEditing] = useState<Integration | 'new'>();
  const [deleting, setDeleting] = useState<Integration>();
  if (session?.sandbox) return null;
  return (
    <div style={{ marginTop: 24 }}>
      <Section
        title="Twilio accounts"
        about="Beside the one that the installation was started with. Their keys are tried before they are kept."
      >
        {error && <Problem error={error} title="The accounts could not be read" onRetry={() => void refetch()} />}
        {accounts?.map((account) => (
          <Group key={account.id} justify="space-between" py={6} wrap="nowrap">
            <Text size="sm" fw={600} className={rows.words}>
              {account.name}
              {!account.hasCredentials && (
                <Text span size="sm" c="var(--pb-warning-text)" fw={400}>
                  {' '}
                  has no keys yet
                </Text>
              )}
            </Text>
            <div className={rows.tools}>
              <Button size="compact-sm" variant="default" onClick={() => setEditing(account)} aria-label={`New keys for ${account.name}`}>
                New keys
              </Button>
              <Button
                size="compact-sm"
                variant="subtle"
                color="red"
                onClick={() => setDeleting(account)}
                aria-label={`Remove the account ${account.name}`}
              >
                Remove
              </Button>
            </div>
          </Group>
        ))}
        <Button variant="default" mt="xs" onClick={() => setEditing('new')}>
          Add a Twilio account
        </Button>
      </Section>
      {editing && <AccountForm account={editing === 'new' ? undefined : editing} onClose={() => setEditing(undefined)} />}
      {deleting && (
        <Confirm
          title={`Remove ${deleting.name}?`}
          verb="Remove"
          failed="Not removed"
          action={() => deleteAccount(deleting.id).then(() => queryClient.invalidateQueries({ queryKey: smsAccountsQuery.queryKey }))}
          onClose={() => setDeleting(undefined)}
        >
          Its keys are forgotten. Numbers and channels that use it have to be removed first.
        </Confirm>
      )}
    </div>
  );
}
