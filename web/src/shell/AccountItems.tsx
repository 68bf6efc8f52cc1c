import { Menu, Text } from '@mantine/core';
import { IconBell, IconBellOff, IconBook2, IconLogout } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { sessionQuery, signOut } from '../api/session.ts';
import classes from './Nav.module.css';
import { switchNotices, useNotices } from './notify.ts';

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
      <NoticesItem />
      <Menu.Item leftSection={<IconBook2 size={16} />} component="a" href="/docs" target="_blank">
        API reference
      </Menu.Item>
      <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void signOut()}>
        Sign out
      </Menu.Item>
    </>
  );
}

function NoticesItem() {
  const state = useNotices();
  if (state === 'impossible') return null;
  const on = state === 'on';
  return (
    <Menu.Item
      leftSection={on ? <IconBellOff size={16} /> : <IconBell size={16} />}
      disabled={state === 'refused'}
      closeMenuOnClick={false}
      onClick={() => void switchNotices(!on)}
    >
      {state === 'refused' ? 'The browser blocks notices of this page' : on ? 'Stop notices of new messages' : 'Notify me of new messages'}
    </Menu.Item>
  );
}
