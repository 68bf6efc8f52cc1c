import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { CopyValue } from './CopyValue.tsx';
import { Notice } from './Notice.tsx';

interface Props {
  title: string;
  secret: string;
  /** Why it is not shown again. */
  warning: string;
  /** What it is used for. */
  children?: ReactNode;
  onClose: () => void;
}

/** A secret that is seen this once. */
export function ShownOnce({ title, secret, warning, children, onClose }: Props) {
  return (
    <Modal opened onClose={onClose} title={title} size="lg" closeOnClickOutside={false}>
      <Stack>
        <Notice tone="warning" icon={IconInfoCircle}>
          {warning}
        </Notice>
        <CopyValue value={secret} label="Copy" withText />
        <Text size="sm" c="dimmed" component="div">
          {children}
        </Text>
        <Group justify="flex-end">
          <Button onClick={onClose}>I have it</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
