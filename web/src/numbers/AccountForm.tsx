import { Button, Group, Modal, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { addAccount, changeAccount, smsAccountsQuery } from '../api/numbers.ts';
import { queryClient } from '../api/query-client.ts';
import type { Integration } from '../api/types.ts';
import { channelsQuery } from '../api/workspace.ts';
import { Problem } from '../components/Problem.tsx';

/** A Twilio account's name and keys; of one that is there, new keys. */
export function AccountForm({ account, onClose }: { account?: Integration; onClose: () => void }) {
  const [name, setName] = useState(account?.name ?? 'Twilio');
  const [sid, setSid] = useState('');
  const [token, setToken] = useState('');
  const save = useMutation({
    mutationFn: () => {
      const config = { account_sid: sid.trim(), auth_token: token.trim() };
      return account ? changeAccount(account.id, { name, config }) : addAccount({ name, type: 'sms', config });
    },
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: smsAccountsQuery.queryKey });
      await queryClient.invalidateQueries({ queryKey: channelsQuery.queryKey });
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={account ? `New keys for ${account.name}` : 'Add a Twilio account'}>
      <form onSubmit={submit} noValidate>
        <Stack>
          <TextInput label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} required />
          <TextInput
            label="Account SID"
            description="Twilio console → Account Info"
            placeholder="AC…"
            value={sid}
            onChange={(event) => setSid(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
            required
          />
          <PasswordInput
            label="Auth token"
            description="Beside it. Kept encrypted and never shown."
            value={token}
            onChange={(event) => setToken(event.currentTarget.value)}
            autoComplete="new-password"
            required
          />
          {save.error && <Problem error={save.error} title={account ? 'Not changed' : 'Not added'} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending} disabled={!name.trim() || !sid.trim() || !token.trim()}>
              {account ? 'Replace' : 'Add'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
