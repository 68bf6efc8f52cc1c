import { Modal, TextInput, VisuallyHidden } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconMoon, IconPlus, IconSearch, IconSun, type TablerIcon } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, type ReactNode, useState } from 'react';
import { channelsQuery, findConversationsQuery } from '../api/workspace.ts';
import { ChannelIcon } from '../components/ChannelIcon.tsx';
import { personName } from '../components/person.ts';
import classes from './CommandBar.module.css';
import { MAIN_PLACES, OTHER_PLACES } from './places.ts';
import { useColorScheme } from './use-color-scheme.ts';

const PAUSE_MS = 200;
const MOST_CHANNELS = 5;

interface Command {
  key: string;
  words: string;
  /** What stands beside it. */
  about?: string;
  sign: ReactNode;
  run: () => void;
}

/** One field that leads everywhere: pages, channels, conversations, what one does often. */
export function CommandBar({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const commands = useCommands(text.trim());
  const current = commands[Math.min(active, commands.length - 1)];
  const choose = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') choose(current);
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const next = active + (event.key === 'ArrowDown' ? 1 : -1);
      setActive((next + commands.length) % Math.max(commands.length, 1));
    } else return;
    event.preventDefault();
  };
  return (
    <Modal opened onClose={onClose} withCloseButton={false} padding={0} size="lg" yOffset="12dvh" centered={false} title={null}>
      <TextInput
        className={classes.field}
        variant="unstyled"
        size="md"
        leftSection={<IconSearch size={18} />}
        placeholder="Go to a page, a channel, a conversation"
        aria-label="Go anywhere"
        role="combobox"
        aria-expanded
        aria-controls="commands"
        aria-activedescendant={current && optionId(current)}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        autoComplete="off"
        data-autofocus
      />
      <div id="commands" role="listbox" aria-label="Places and actions" className={classes.list}>
        {commands.map((command, at) => (
          <button
            key={command.key}
            id={optionId(command)}
            type="button"
            role="option"
            tabIndex={-1}
            aria-selected={command === current}
            className={classes.command}
            onMouseMove={() => setActive(at)}
            onClick={() => choose(command)}
          >
            <span className={classes.sign}>{command.sign}</span>
            <span className={classes.words}>{command.words}</span>
            {command.about && <span className={classes.about}>{command.about}</span>}
          </button>
        ))}
        {commands.length === 0 && <div className={classes.nothing}>Nothing found.</div>}
      </div>
      <VisuallyHidden role="status">{commands.length} found</VisuallyHidden>
    </Modal>
  );
}

function optionId({ key }: Command): string {
  return `command-${key}`;
}

function useCommands(text: string): Command[] {
  const navigate = useNavigate();
  const scheme = useColorScheme();
  const { data: channels = [] } = useQuery(channelsQuery);
  const [wanted] = useDebouncedValue(text, PAUSE_MS);
  const { data: conversations = [] } = useQuery({
    ...findConversationsQuery(wanted),
    enabled: wanted !== '',
    placeholderData: keepPreviousData,
  });
  const drawn = (Icon: TablerIcon) => <Icon size={18} stroke={1.6} aria-hidden />;
  const places: Command[] = [...MAIN_PLACES, ...OTHER_PLACES].map(({ to, label, icon }) => ({
    key: to.slice(1),
    words: label,
    about: 'Page',
    sign: drawn(icon),
    run: () => void navigate({ to }),
  }));
  const actions: Command[] = [
    { key: 'connect', words: 'Connect a channel', sign: drawn(IconPlus), run: () => void navigate({ to: '/channels/new' }) },
    { key: 'scheme', words: scheme.label, sign: drawn(scheme.next === 'light' ? IconSun : IconMoon), run: scheme.toggle },
  ];
  if (text === '') return [...places, ...actions];
  // A page is meant by how one of its words begins.
  const fits = ({ words }: { words: string }) => ` ${words.toLowerCase()}`.includes(` ${text.toLowerCase()}`);
  const found = conversations.map(
    ({ id, contact, subject, channelId, status }): Command => ({
      key: id,
      words: [personName(contact.computedDisplayName), subject].filter(Boolean).join(' · '),
      about: status === 'closed' ? 'Closed conversation' : 'Conversation',
      sign: <ChannelIcon channelId={channelId} size={18} />,
      run: () => void navigate({ to: '/inbox/$conversationId', params: { conversationId: id } }),
    }),
  );
  const accounts = channels.map(
    ({ id, name }): Command => ({
      key: id,
      words: name,
      about: 'Channel',
      sign: <ChannelIcon channelId={id} size={18} />,
      run: () => void navigate({ to: '/channels/$channelId', params: { channelId: id } }),
    }),
  );
  return [...places.filter(fits), ...actions.filter(fits), ...accounts.filter(fits).slice(0, MOST_CHANNELS), ...found];
}
