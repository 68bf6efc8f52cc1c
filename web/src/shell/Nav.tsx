import { ActionIcon, Menu, Tooltip, UnstyledButton } from '@mantine/core';
import { IconDots, IconMoon, IconSun, IconUserCircle } from '@tabler/icons-react';
import { Link, useRouterState } from '@tanstack/react-router';
import { AccountItems } from './AccountItems.tsx';
import { ConnectionDot } from './ConnectionDot.tsx';
import { Logo } from './Logo.tsx';
import classes from './Nav.module.css';
import { MAIN_PLACES, OTHER_PLACES, type Place } from './places.ts';
import { useColorScheme } from './use-color-scheme.ts';

/** The way to every page: a rail at the side, a bar below on a phone. */
export function Nav({ unread }: { unread: string }) {
  return (
    <nav className={classes.nav} aria-label="Patchbay">
      <Link to="/inbox" className={classes.logo} aria-label="Patchbay">
        <Logo size={32} />
      </Link>
      <div className={classes.places}>
        {MAIN_PLACES.map((place) => (
          <PlaceLink key={place.to} place={place} count={place.to === '/inbox' ? unread : ''} />
        ))}
        {OTHER_PLACES.map((place) => (
          <PlaceLink key={place.to} place={place} other />
        ))}
        <More />
      </div>
      <div className={classes.foot}>
        <ConnectionDot />
        <ColorSchemeToggle />
        <Account />
      </div>
    </nav>
  );
}

function PlaceLink({ place: { to, label, icon: Icon }, count = '', other }: { place: Place; count?: string; other?: boolean }) {
  return (
    <Link to={to} className={classes.place} data-other={other} activeProps={{ 'aria-current': 'page' }}>
      <span className={classes.icon}>
        <Icon size={22} stroke={1.6} aria-hidden />
        {count && (
          <span className={classes.count} aria-hidden>
            {count}
          </span>
        )}
      </span>
      <span className={classes.label}>{label}</span>
      {count && <span className={classes.hidden}>({count} unread)</span>}
    </Link>
  );
}

/** On a phone: the pages that do not fit, and what else stands at the rail's foot. */
function More() {
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const { next, label, toggle } = useColorScheme();
  const Icon = next === 'light' ? IconSun : IconMoon;
  const here = OTHER_PLACES.some(({ to }) => path.startsWith(to));
  return (
    <Menu position="top-end" width={260}>
      <Menu.Target>
        <UnstyledButton className={classes.place} data-more aria-current={here ? 'page' : undefined}>
          <IconDots size={22} stroke={1.6} aria-hidden />
          <span className={classes.label}>More</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {OTHER_PLACES.map(({ to, label: name, icon: Sign }) => (
          <Menu.Item key={to} component={Link} to={to} leftSection={<Sign size={18} stroke={1.6} />}>
            {name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item key={next} leftSection={<Icon size={18} stroke={1.6} />} onClick={toggle}>
          {label}
        </Menu.Item>
        <AccountItems />
      </Menu.Dropdown>
    </Menu>
  );
}

function ColorSchemeToggle() {
  const { next, label, toggle } = useColorScheme();
  const Icon = next === 'light' ? IconSun : IconMoon;
  return (
    <Tooltip label={label} position="right">
      <ActionIcon size="lg" onClick={toggle} aria-label={label}>
        <Icon size={20} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  );
}

function Account() {
  return (
    <Menu position="right-end" width={260} withArrow>
      <Menu.Target>
        <UnstyledButton className={classes.account} aria-label="Account">
          <IconUserCircle size={24} stroke={1.6} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <AccountItems />
      </Menu.Dropdown>
    </Menu>
  );
}
