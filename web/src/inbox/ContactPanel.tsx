import { ActionIcon, Group, Skeleton, Stack, Text, TextInput, Title, Tooltip } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { queryClient } from '../api/query-client.ts';
import type { Contact, Conversation } from '../api/types.ts';
import { contactConversationsQuery, contactQuery, renameContact } from '../api/workspace.ts';
import { ChannelIcon } from '../components/ChannelIcon.tsx';
import { CopyButton } from '../components/CopyButton.tsx';
import { PersonAvatar } from '../components/PersonAvatar.tsx';
import { Problem } from '../components/Problem.tsx';
import { personName } from '../components/person.ts';
import { fullTime, shortTime } from '../components/time.ts';
import classes from './ContactPanel.module.css';
import { summaryOf } from './summary.ts';
import { TagEditor } from './TagEditor.tsx';

/** Who the customer is: name, addresses, tags, and their other conversations. */
export function ContactPanel({ conversation }: { conversation: Conversation }) {
  const { id, avatarUrl } = conversation.contact;
  const { data: contact, error, refetch } = useQuery(contactQuery(id));
  const { data: conversations } = useQuery(contactConversationsQuery(id));
  const others = conversations?.filter((other) => other.id !== conversation.id) ?? [];

  return (
    <Stack gap="lg">
      <Stack align="center" gap={8}>
        <PersonAvatar name={personName((contact ?? conversation.contact).computedDisplayName)} imageUrl={avatarUrl} size={64} />
        {contact ? <Name contact={contact} /> : <Skeleton height={20} width={140} />}
      </Stack>
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      <section>
        <Title order={3} className={classes.heading}>
          Addresses
        </Title>
        {contact?.featuredIdentifiers.map(({ key, value }) => (
          <Group key={`${key} ${value}`} gap={4} wrap="nowrap" className={classes.address}>
            <div>
              <Text size="xs" c="dimmed">
                {KINDS[key] ?? key}
              </Text>
              <Text size="sm" className={classes.value}>
                {value}
              </Text>
            </div>
            <CopyButton value={value} label="Copy" />
          </Group>
        ))}
      </section>
      <section>
        <Title order={3} className={classes.heading}>
          Tags
        </Title>
        <TagEditor conversation={conversation} />
      </section>
      {others.length > 0 && (
        <section>
          <Title order={3} className={classes.heading}>
            Other conversations
          </Title>
          {others.map((other) => (
            <Link key={other.id} to="/inbox/$conversationId" params={{ conversationId: other.id }} search={true} className={classes.other}>
              <ChannelIcon channelId={other.channelId} size={18} />
              <span className={classes.value}>
                {other.subject ?? (other.lastMessage ? summaryOf(other.lastMessage.content) : 'Nothing written yet')}
              </span>
              {other.lastMessageAt && <span className={classes.time}>{shortTime(other.lastMessageAt)}</span>}
            </Link>
          ))}
        </section>
      )}
      {contact && (
        <Text size="xs" c="dimmed">
          Known since {fullTime(contact.createdAt)}
        </Text>
      )}
    </Stack>
  );
}

const KINDS: Record<string, string> = {
  visitor: 'Visitor of a website',
  emailaddress: 'Mail address',
  phonenumber: 'Phone number',
  whatsappbsuid: 'WhatsApp id',
};

function Name({ contact }: { contact: Contact }) {
  const [name, setName] = useState<string>();
  const rename = useMutation({
    mutationFn: (text: string) => renameContact(contact.id, text),
    onSuccess: (changed) => {
      queryClient.setQueryData(contactQuery(contact.id).queryKey, changed);
      setName(undefined);
    },
  });
  if (name === undefined) {
    return (
      <Group gap={4} wrap="nowrap">
        <Title order={2} className={classes.value}>
          {personName(contact.computedDisplayName)}
        </Title>
        <Tooltip label="Change the name">
          <ActionIcon size="sm" onClick={() => setName(contact.computedDisplayName)} aria-label="Change the name">
            <IconPencil size={15} />
          </ActionIcon>
        </Tooltip>
      </Group>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) rename.mutate(name.trim());
  };
  return (
    <form onSubmit={submit}>
      <TextInput
        aria-label="Name"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && setName(undefined)}
        error={rename.error?.message}
        description="Enter keeps it, Esc leaves it as it was"
        disabled={rename.isPending}
        autoFocus
      />
    </form>
  );
}
