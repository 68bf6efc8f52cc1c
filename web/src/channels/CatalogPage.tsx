import { Skeleton, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { CatalogEntry } from '../api/types.ts';
import { catalogQuery } from '../api/workspace.ts';
import { BackLink } from '../components/BackLink.tsx';
import { SourceIcon } from '../components/ChannelIcon.tsx';
import { Page } from '../components/Page.tsx';
import { Problem } from '../components/Problem.tsx';
import classes from './channels.module.css';

const CATEGORIES: Record<CatalogEntry['category'], string> = {
  chat: 'On your website',
  messaging: 'Messengers',
  sms: 'SMS',
  email: 'Mail',
  voice: 'Voice',
  custom: 'Your own',
};

/** Everything that can be connected, as the connectors themselves declare it. */
export function CatalogPage() {
  const { data: catalog, error, isPending, refetch } = useQuery(catalogQuery);
  return (
    <Page title="Connect a channel" about="Where do your customers write?" back={<BackLink to="/channels">Channels</BackLink>}>
      {error && <Problem error={error} title="The catalog could not be read" onRetry={() => void refetch()} />}
      {isPending && <Skeleton height={90} radius="md" aria-hidden />}
      {catalog &&
        (Object.keys(CATEGORIES) as CatalogEntry['category'][]).map((category) => {
          const entries = catalog.filter((entry) => entry.category === category);
          if (entries.length === 0) return null;
          return (
            <section key={category}>
              <Title order={2} size="h3" mb="sm">
                {CATEGORIES[category]}
              </Title>
              <div className={classes.catalog}>
                {entries.map((entry) => (
                  <Link key={entry.source} to="/channels/new/$source" params={{ source: entry.source }} className={classes.card}>
                    <SourceIcon color={entry.color} icon={entry.icon} size={44} />
                    <span>
                      <Text fw={600} component="span">
                        {entry.title}
                      </Text>
                      <Text size="sm" c="dimmed">
                        {entry.description}
                      </Text>
                      {entry.notice && <span className={classes.notice}>{entry.notice}</span>}
                    </span>
                  </Link>
                ))}
              </div>
            </section>
          );
        })}
    </Page>
  );
}
