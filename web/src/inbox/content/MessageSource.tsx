import { Button, Code, Group, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { messageSourceQuery, sourceAddress } from '../../api/workspace.ts';
import { Problem } from '../../components/Problem.tsx';

const SHOWN_CHARACTERS = 100_000;

/** What a message was read from, as the provider sent it. */
export function MessageSource({ messageId, onClose }: { messageId: string; onClose: () => void }) {
  const { data, error, refetch } = useQuery(messageSourceQuery(messageId, SHOWN_CHARACTERS));
  return (
    <Modal opened onClose={onClose} title="As it came in" size="xl">
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {data === undefined && !error && <Skeleton height={240} aria-hidden />}
      {data !== undefined && (
        <Stack>
          <Group justify="space-between">
            <Text size="sm" c="dimmed">
              {data.length >= SHOWN_CHARACTERS ? 'The beginning; the file has all of it.' : 'Unchanged, with every header.'}
            </Text>
            <Button
              component="a"
              href={sourceAddress(messageId)}
              download
              variant="default"
              size="xs"
              leftSection={<IconDownload size={16} />}
            >
              Download
            </Button>
          </Group>
          <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {data.slice(0, SHOWN_CHARACTERS)}
          </Code>
        </Stack>
      )}
    </Modal>
  );
}
