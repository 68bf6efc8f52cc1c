import { Button, Center, Stack, Text, Title } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';

/** Nothing can be shown at all: what happened, and a button. */
export function FullPageProblem({ error, onRetry }: { error: Error; onRetry: () => void }) {
  return (
    <Center h="100dvh" p="lg">
      <Stack align="center" maw={420} role="alert">
        <IconPlugConnectedX size={40} stroke={1.5} color="var(--mantine-color-dimmed)" aria-hidden />
        <Title order={1} ta="center">
          This did not work
        </Title>
        <Text ta="center" c="dimmed">
          {error.message}
        </Text>
        <Button onClick={onRetry}>Try again</Button>
      </Stack>
    </Center>
  );
}
