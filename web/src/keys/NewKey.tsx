import { Button, Checkbox, Group, Modal, SegmentedControl, SimpleGrid, Stack, Switch, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { SCOPES } from '../../../server/src/model/scopes.ts';
import { ApiError } from '../api/client.ts';
import { queryClient } from '../api/query-client.ts';
import { createKey, keysQuery } from '../api/workspace.ts';
import { Problem } from '../components/Problem.tsx';
import { ShownOnce } from '../components/ShownOnce.tsx';

export function NewKey({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [all, setAll] = useState(true);
  const [scopes, setScopes] = useState<string[]>([]);
  const [sandbox, setSandbox] = useState(false);
  const create = useMutation({
    mutationFn: createKey,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: keysQuery.queryKey }),
  });
  const problems = create.error instanceof ApiError ? create.error.fields : {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ name: name.trim(), scopes: all ? ['*'] : scopes, sandbox });
  };

  if (create.data?.key) {
    return (
      <ShownOnce
        title={create.data.name}
        secret={create.data.key}
        warning="Copy the key now: only a fingerprint of it is kept, so it cannot be shown again."
        onClose={onClose}
      >
        Send it as <code>Authorization: Bearer …</code> or <code>X-API-Key: …</code>
      </ShownOnce>
    );
  }
  return (
    <Modal opened onClose={onClose} title="New API key" size="lg">
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            description="Who or what uses it."
            placeholder="Shop system"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={problems.name?.join('; ')}
            data-autofocus
            required
          />
          <SegmentedControl
            value={all ? 'all' : 'some'}
            onChange={(value) => setAll(value === 'all')}
            data={[
              { value: 'all', label: 'May do everything' },
              { value: 'some', label: 'May do only this' },
            ]}
          />
          {!all && (
            <Checkbox.Group value={scopes} onChange={setScopes} error={problems.scopes?.join('; ')} aria-label="Scopes">
              <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
                {SCOPES.map((scope) => (
                  <Checkbox key={scope} value={scope} label={scope} />
                ))}
              </SimpleGrid>
            </Checkbox.Group>
          )}
          <Switch
            label="Sandbox"
            description="Its channels are stand-ins: no provider is ever called. For tests and for trying things out."
            checked={sandbox}
            onChange={(event) => setSandbox(event.currentTarget.checked)}
          />
          {create.error && Object.keys(problems).length === 0 && <Problem error={create.error} title="Not made" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={create.isPending} disabled={!name.trim() || (!all && scopes.length === 0)}>
              Make the key
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
