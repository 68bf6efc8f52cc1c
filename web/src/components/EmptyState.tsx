import { Center, Stack, Text } from '@mantine/core';
import type { TablerIcon } from '@tabler/icons-react';
import type { ReactNode } from 'react';

interface Props {
  icon: TablerIcon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

/** A place where nothing is yet, and what to do about it. */
export function EmptyState({ icon: Icon, title, children, action }: Props) {
  return (
    <Center p="xl" h="100%">
      <Stack align="center" gap="xs" maw={360}>
        <Icon size={36} stroke={1.25} color="var(--mantine-color-dimmed)" aria-hidden />
        <Text fw={600} ta="center">
          {title}
        </Text>
        {children && (
          <Text c="dimmed" size="sm" ta="center" component="div">
            {children}
          </Text>
        )}
        {action}
      </Stack>
    </Center>
  );
}
