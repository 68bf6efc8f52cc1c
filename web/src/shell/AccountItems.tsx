import { Menu, Text } from '@mantine/core';
import { IconBook2, IconLogout } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { sessionQuery, signOut } from '../api/session.ts';
import classes from './Nav.module.css';

/** Who is signed in, and the ways out. */
export function AccountItems() {
  const { data: session } = useQuery(sessionQuery);
  if (!session) return null;
  return (
    <>
      <div className={classes.who}>
        <Text size="sm" fw={600}>
          {session.name}
        </Text>
        <Text size="xs" c="dimmed">
          {session.sandbox ? 'Sandbox key: no provider is ever called' : 'Signed in with this API key'}
        </Text>
        <Text size="xs" c="dimmed" ff="monospace" mt={4}>
          {session.workspaceId}
        </Text>
      </div>
      <Menu.Divider />
      <Menu.Item leftSection={<IconBook2 size={16} />} component="a" href="/docs" target="_blank">
        API reference
      </Menu.Item>
      <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void signOut()}>
        Sign out
      </Menu.Item>
    </>
  );
}
