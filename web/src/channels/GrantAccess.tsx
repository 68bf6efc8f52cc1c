import { Button, Group, Text } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { ChannelDetails } from '../api/types.ts';
import { startConsent } from '../api/workspace.ts';
import { Problem } from '../components/Problem.tsx';

/** Leads to the provider, where a person grants the channel its access; the way back ends on this page. */
export function GrantAccess({ channel }: { channel: ChannelDetails }) {
  const start = useMutation({
    mutationFn: () => startConsent(channel.id),
    onSuccess: ({ url }) => location.assign(url),
  });
  return (
    <>
      <Group>
        <Button rightSection={<IconExternalLink size={16} />} loading={start.isPending || start.isSuccess} onClick={() => start.mutate()}>
          Grant access
        </Button>
        <Text size="sm" c="dimmed">
          Opens your provider's sign-in and comes back here. Nothing is lost meanwhile.
        </Text>
      </Group>
      {start.error && <Problem error={start.error} title="The sign-in could not be opened" />}
    </>
  );
}
