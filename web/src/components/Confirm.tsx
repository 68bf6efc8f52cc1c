import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Problem } from './Problem.tsx';

interface Props {
  title: string;
  /** What will happen. */
  children: ReactNode;
  /** The verb, as the button says it. */
  verb: string;
  /** How it is said that it did not work: “Not deleted”. */
  failed: string;
  /** Does it, and brings what is shown up to date. */
  action: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before something is destroyed. */
export function Confirm({ title, children, verb, failed, action, onClose }: Props) {
  const run = useMutation({ mutationFn: action, onSuccess: onClose });
  return (
    <Modal opened onClose={onClose} title={title}>
      <Stack>
        <Text size="sm" component="div">
          {children}
        </Text>
        {run.error && <Problem error={run.error} title={failed} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Keep it
          </Button>
          <Button color="red" loading={run.isPending} onClick={() => run.mutate()}>
            {verb}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
