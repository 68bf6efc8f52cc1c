import { Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { CatalogEntry, ChannelDetails } from '../api/types.ts';
import { capabilitiesQuery } from '../api/workspace.ts';
import { TemplatesSection } from '../templates/TemplatesSection.tsx';
import { ChannelCredentials } from './ChannelCredentials.tsx';
import { ChannelEnd } from './ChannelEnd.tsx';
import { ChannelHealth } from './ChannelHealth.tsx';
import { ChannelSettings } from './ChannelSettings.tsx';
import classes from './channels.module.css';
import { OptOuts } from './OptOuts.tsx';
import { SetupRows } from './SetupRows.tsx';

interface Props {
  channel: ChannelDetails;
  entry: CatalogEntry | undefined;
}

/** The channel itself, and beside it what only some sources have. */
export function ChannelTabs({ channel, entry }: Props) {
  const navigate = useNavigate();
  const { tab = 'channel' } = useSearch({ from: '/channels/$channelId' });
  const { data: capabilities } = useQuery(capabilitiesQuery(channel.id));
  const hasTemplates = capabilities?.templates === true;
  const mayOptOut = entry?.category === 'sms' || entry?.category === 'messaging';
  // What has to be set up stands first until the first message came in.
  const used = channel.lastInAt !== null;
  const own = (
    <>
      {!used && <SetupRows channel={channel} />}
      <ChannelHealth channel={channel} />
      {used && <SetupRows channel={channel} />}
      {entry && <ChannelCredentials key={channel.status} channel={channel} entry={entry} />}
      {entry && <ChannelSettings channel={channel} entry={entry} />}
      <ChannelEnd channel={channel} />
    </>
  );
  if (!hasTemplates && !mayOptOut) return own;
  const choose = (value: string | null) =>
    void navigate({ to: '.', search: (old) => ({ ...old, tab: value === 'channel' ? undefined : (value ?? undefined) }), replace: true });
  return (
    <Tabs value={tab} onChange={choose} keepMounted={false}>
      <Tabs.List className={classes.tabs}>
        <Tabs.Tab value="channel">Channel</Tabs.Tab>
        {hasTemplates && <Tabs.Tab value="templates">Templates</Tabs.Tab>}
        {mayOptOut && <Tabs.Tab value="opt-outs">Opt-outs</Tabs.Tab>}
      </Tabs.List>
      <Tabs.Panel value="channel">{own}</Tabs.Panel>
      {hasTemplates && (
        <Tabs.Panel value="templates">
          <TemplatesSection channel={channel} />
        </Tabs.Panel>
      )}
      {mayOptOut && (
        <Tabs.Panel value="opt-outs">
          <OptOuts channelId={channel.id} />
        </Tabs.Panel>
      )}
    </Tabs>
  );
}
