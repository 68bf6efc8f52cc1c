import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { importNumbers } from '../api/numbers.ts';
import { Notice } from '../components/Notice.tsx';
import { AccountProblem } from './AccountProblem.tsx';
import { AccountSelect } from './AccountSelect.tsx';
import { refreshNumbers } from './refresh.ts';

/** Takes up every number of an account that is not here yet. */
export function ImportNumbers({ onClose }: { onClose: () => void }) {
  const [account, setAccount] = useState<string>();
  const take = useMutation({ mutationFn: () => importNumbers(account), onSettled: refreshNumbers });
  return (
    <Modal opened onClose={onClose} title="Take over my numbers">
      <Stack>
        <Text size="sm">
          Every number of the account that is not here yet is listed here. Those that can do SMS get their channel, and Twilio calls us for
          what comes in.
        </Text>
        <AccountSelect value={account} onChange={setAccount} />
        {take.error && <AccountProblem error={take.error} title="Not taken over" />}
        {take.data && (
          <Notice tone={take.data.length > 0 ? 'good' : 'neutral'} icon={IconCircleCheck} role="status">
            {take.data.length > 0
              ? `Taken over: ${take.data.map(({ phoneNumber }) => phoneNumber).join(', ')}.`
              : 'The account has no number that is not here already.'}
          </Notice>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {take.data ? 'Close' : 'Cancel'}
          </Button>
          {!take.data && (
            <Button loading={take.isPending} onClick={() => take.mutate()} data-autofocus>
              Take over
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}
