import { ActionIcon, Menu, Text, Tooltip, UnstyledButton, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import {
  IconAt,
  IconBook2,
  IconInbox,
  IconKey,
  IconLogout,
  IconMessage2,
  IconMoon,
  IconPlugConnected,
  IconRouteX,
  IconSun,
  IconUserCircle,
  type TablerIcon,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { sessionQuery, signOut } from '../api/session.ts';
import { ConnectionDot } from './ConnectionDot.tsx';
import { Logo } from './Logo.tsx';
import classes from './Nav.module.css';

const PLACES: { to: '/inbox' | '/channels' | '/replies' | '/domains' | '/keys' | '/events'; label: string; icon: TablerIcon }[] = [
  { to: '/inbox', label: 'Inbox', icon: IconInbox },
  { to: '/channels', label: 'Channels', icon: IconPlugConnected },
  { to: '/replies', label: 'Replies', icon: IconMessage2 },
  { to: '/domains', label: 'Domains', icon: IconAt },
  { to: '/events', label: 'Events', icon: IconRouteX },
  { to: '/keys', label: 'API keys', icon: IconKey },
];

export function Nav({ unread }: { unread: string }) {
  return (
    <nav className={classes.nav} aria-label="Patchbay">
      <Link to="/inbox" className={classes.logo} aria-label="Patchbay">
        <Logo size={32} />
      </Link>
      <div className={classes.places}>
        {PLACES.map(({ to, label, icon: Icon }) => (
          <Link key={to} to={to} className={classes.place} activeProps={{ 'aria-current': 'page' }}>
            <span className={classes.icon}>
              <Icon size={22} stroke={1.6} aria-hidden />
              {to === '/inbox' && unread && <span className={classes.count}>{unread}</span>}
            </span>
            <span className={classes.label}>{label}</span>
            {to === '/inbox' && unread && <span className={classes.hidden}>({unread} unread)</span>}
          </Link>
        ))}
      </div>
      <div className={classes.foot}>
        <ConnectionDot />
        <ColorSchemeToggle />
        <Account />
      </div>
    </nav>
  );
}

function ColorSchemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const next = scheme === 'dark' ? 'light' : 'dark';
  const label = `Use the ${next} colours`;
  const Icon = scheme === 'dark' ? IconSun : IconMoon;
  return (
    <Tooltip label={label} position="right">
      <ActionIcon size="lg" onClick={() => setColorScheme(next)} aria-label={label}>
        <Icon size={20} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  );
}

function Account() {
  const { data: session } = useQuery(sessionQuery);
  if (!session) return null;
  return (
    <Menu position="right-end" width={260} withArrow>
      <Menu.Target>
        <UnstyledButton className={classes.account} aria-label="Account">
          <IconUserCircle size={24} stroke={1.6} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
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
      </Menu.Dropdown>
    </Menu>
  );
}
