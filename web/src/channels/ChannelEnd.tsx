import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { queryClient } from '../api/query-client.ts';
import type { ChannelDetails } from '../api/types.ts';
import { changeChannel, channelQuery, channelsQuery, deleteChannel } from '../api/workspace.ts';
import { Section } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';

/** Disconnect, connect again, delete: each says first what it does. */
export function ChannelEnd({ channel }: { channel: ChannelDetails }) {
  const navigate = useNavigate();
  const [asking, setAsking] = useState<'disconnect' | 'delete'>();
  const off = channel.status === 'inactive';
  const fresh = async () => {
    setAsking(undefined);
    await queryClient.invalidateQueries({ queryKey: channelQuery(channel.id).queryKey });
    await queryClient.invalidateQueries({ queryKey: channelsQuery.queryKey });
  };
  const change = useMutation({ mutationFn: (status: 'active' | 'inactive') => changeChannel(channel.id, { status }), onSuccess: fresh });
  const remove = useMutation({
    mutationFn: () => deleteChannel(channel.id),
    onSuccess: async () => {
      await navigate({ to: '/channels' });
      queryClient.removeQueries({ queryKey: channelQuery(channel.id).queryKey });
      await queryClient.invalidateQueries({ queryKey: channelsQuery.queryKey });
    },
  });
  const close = () => {
    setAsking(undefined);
    change.reset();
    remove.reset();
  };

  return (
    <Section
      title={off ? 'Connect again, or delete' : 'Disconnect or delete'}
      about="Disconnecting stops messages both ways and keeps everything. Deleting also takes the channel out of the list."
    >
      <Group>
        {off ? (
          <Button loading={change.isPending} onClick={() => change.mutate('active')}>
            Connect again
          </Button>
        ) : (
          <Button variant="default" onClick={() => setAsking('disconnect')}>
            Disconnect…
          </Button>
        )}
        <Button variant="light" color="red" onClick={() => setAsking('delete')}>
          Delete…
        </Button>
      </Group>
      {change.error && !asking && (
        <Stack mt="sm">
          <Problem error={change.error} title="Not connected" />
        </Stack>
      )}
      <Modal
        opened={asking !== undefined}
        onClose={close}
        title={asking === 'delete' ? `Delete ${channel.name}?` : `Disconnect ${channel.name}?`}
      >
        <Stack>
          <Text size="sm">
            {asking === 'delete'
              ? 'It is disconnected at the provider and leaves the list. Conversations are kept for 30 days; connecting the same account again brings them back.'
              : 'No message comes in or goes out until you connect it again. Conversations stay.'}
          </Text>
          {(change.error ?? remove.error) && <Problem error={(change.error ?? remove.error)!} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Keep it
            </Button>
            <Button
              color="red"
              loading={change.isPending || remove.isPending}
              onClick={() => (asking === 'delete' ? remove.mutate() : change.mutate('inactive'))}
            >
              {asking === 'delete' ? 'Delete' : 'Disconnect'}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Section>
  );
}
