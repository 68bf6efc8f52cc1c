import { ActionIcon, Indicator, Menu, SegmentedControl, Switch, TextInput, Title, Tooltip } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconCheck, IconEdit, IconFilter, IconSearch, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { type ConversationFilter, channelsQuery } from '../api/workspace.ts';
import { ChannelIcon } from '../components/ChannelIcon.tsx';
import type { InboxSearch } from '../router.tsx';
import classes from './ConversationList.module.css';
import { SEARCH_FIELD } from './shortcuts.ts';

const SEARCH_PAUSE_MS = 250;

/** What the list shows: open or closed, unread alone, one channel, a search. Lives in the address. */
export function ListFilters({ filter, onCompose }: { filter: ConversationFilter; onCompose: () => void }) {
  const navigate = useNavigate();
  const search = useSearch({ from: '/inbox' });
  const narrow = (change: Partial<Record<keyof InboxSearch, unknown>>) =>
    void navigate({ to: '.', search: { ...search, ...change } as InboxSearch, replace: true });

  return (
    <div className={classes.filters}>
      <div className={classes.heading}>
        <Title order={1}>Inbox</Title>
        <div className={classes.tools}>
          <ChannelFilter chosen={filter.channelId} onChoose={(channel) => narrow({ channel })} />
          <Tooltip label="New message (c)">
            <ActionIcon size="lg" onClick={onCompose} aria-label="New message">
              <IconEdit size={20} />
            </ActionIcon>
          </Tooltip>
        </div>
      </div>
      <SearchField value={filter.search ?? ''} onChange={(q) => narrow({ q: q || undefined })} />
      <div className={classes.heading}>
        <SegmentedControl
          size="xs"
          value={filter.status}
          onChange={(status) => narrow({ status: status === 'closed' ? 'closed' : undefined })}
          data={[
            { value: 'active', label: 'Open' },
            { value: 'closed', label: 'Closed' },
          ]}
        />
        <Switch
          size="xs"
          labelPosition="left"
          label="Unread only"
          checked={filter.unread === true}
          onChange={(event) => narrow({ unread: event.currentTarget.checked || undefined })}
        />
      </div>
    </div>
  );
}

function SearchField({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  const report = useDebouncedCallback(onChange, SEARCH_PAUSE_MS);
  useEffect(() => setText(value), [value]);
  const set = (next: string) => {
    setText(next);
    report(next.trim());
  };
  return (
    <TextInput
      id={SEARCH_FIELD}
      type="search"
      aria-label="Search conversations"
      placeholder="Search people and subjects"
      size="sm"
      leftSection={<IconSearch size={16} />}
      rightSection={
        text && (
          <ActionIcon size="sm" onClick={() => set('')} aria-label="Clear the search">
            <IconX size={14} />
          </ActionIcon>
        )
      }
      value={text}
      onChange={(event) => set(event.currentTarget.value)}
    />
  );
}

function ChannelFilter({ chosen, onChoose }: { chosen?: string; onChoose: (id: string | undefined) => void }) {
  const { data: channels } = useQuery(channelsQuery);
  if (!channels || channels.length < 2) return null;
  const name = channels.find(({ id }) => id === chosen)?.name;
  const label = name ? `Only ${name}` : 'Every channel';
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <Indicator disabled={!chosen} size={8} offset={4}>
          <ActionIcon size="lg" aria-label={`Channels: ${label}`} title={label}>
            <IconFilter size={18} />
          </ActionIcon>
        </Indicator>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: 'auto' }}>
        <Menu.Item onClick={() => onChoose(undefined)} rightSection={!chosen && <IconCheck size={14} />}>
          Every channel
        </Menu.Item>
        <Menu.Divider />
        {channels.map(({ id, name: label }) => (
          <Menu.Item
            key={id}
            leftSection={<ChannelIcon channelId={id} size={18} />}
            rightSection={id === chosen && <IconCheck size={14} />}
            onClick={() => onChoose(id)}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
