import { Group, Kbd, Modal, Stack, Text } from '@mantine/core';
import { SHORTCUTS } from './shortcuts.ts';

export function CheatSheet({ onClose }: { onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title="Keys" size="sm">
      <Stack gap="xs">
        {SHORTCUTS.map(({ keys, what }) => (
          <Group key={what} justify="space-between" wrap="nowrap">
            <Text size="sm">{what}</Text>
            <Group gap={4} wrap="nowrap">
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </Group>
          </Group>
        ))}
      </Stack>
    </Modal>
  );
}
