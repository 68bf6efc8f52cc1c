import { Button, Group, Loader, Modal, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { ApiError } from '../api/client.ts';
import type { Message, MessageBody } from '../api/types.ts';
import { capabilitiesQuery, catalogQuery, channelsQuery, writeFirst } from '../api/workspace.ts';
import { ButtonLink } from '../components/ButtonLink.tsx';
import { Problem } from '../components/Problem.tsx';
import { TemplateChooser } from '../templates/TemplateChooser.tsx';

/** Addresses that one can write to before their owner ever wrote: how the field is called, and an example. */
const ADDRESSES: Record<string, { label: string; example: string }> = {
  phonenumber: { label: 'Phone number', example: '+49 170 1234567' },
  emailaddress: { label: 'Mail address', example: 'ann@example.com' },
};

interface Props {
  onClose: () => void;
  onSent: (message: Message) => void;
}

/** Writes to somebody first, by their number or mail address. */
export function NewMessage({ onClose, onSent }: Props) {
  const { data: catalog } = useQuery(catalogQuery);
  const { data: channels } = useQuery(channelsQuery);
  const keyOf = (source: string) => catalog?.find((entry) => entry.source === source)?.identifierKey ?? '';
  const usable = channels?.filter(({ source, status }) => ADDRESSES[keyOf(source)] && status !== 'inactive' && status !== 'deleted') ?? [];
  const [chosen, setChosen] = useState<string | null>(null);
  const channel = usable.find(({ id }) => id === chosen) ?? (usable.length === 1 ? usable[0] : undefined);
  return (
    <Modal opened onClose={onClose} title="New message" size="lg">
      {channels && catalog && usable.length === 0 ? (
        <Stack align="flex-start">
          <Text size="sm">To write first, connect a channel that has numbers or mail addresses: SMS, WhatsApp, RCS or a mailbox.</Text>
          <ButtonLink to="/channels/new" size="xs">
            Connect a channel
          </ButtonLink>
        </Stack>
      ) : (
        <Stack>
          <Select
            label="From"
            placeholder="Choose the channel"
            data={usable.map(({ id, name, sourceChannelId }) => ({
              value: id,
              label: name === sourceChannelId ? name : `${name} (${sourceChannelId})`,
            }))}
            value={channel?.id ?? null}
            onChange={setChosen}
            searchable
            openOnFocus={false}
            data-autofocus
          />
          {channel && (
            <Form key={channel.id} channelId={channel.id} identifierKey={keyOf(channel.source)} onClose={onClose} onSent={onSent} />
          )}
        </Stack>
      )}
    </Modal>
  );
}

function Form({ channelId, identifierKey, onClose, onSent }: Props & { channelId: string; identifierKey: string }) {
  const { data: capabilities, isPending } = useQuery(capabilitiesQuery(channelId));
  const [to, setTo] = useState('');
  const [subject, setSubject] = useState('');
  const [text, setText] = useState('');
  const [asked, setAsked] = useState(false);
  const attempt = useRef({ written: '', key: '' });
  const send = useMutation({
    mutationFn: (body: MessageBody) => {
      const message = { receiver: { contacts: [{ identifierKey, identifierValue: to.trim() }] }, body };
      const written = JSON.stringify(message);
      // The same message keeps its key, so that trying again never sends it twice; a corrected one is another.
      if (attempt.current.written !== written) attempt.current = { written, key: crypto.randomUUID() };
      return writeFirst(channelId, attempt.current.key, message);
    },
    onSuccess: onSent,
  });
  const { label, example } = ADDRESSES[identifierKey]!;
  const fields = send.error instanceof ApiError ? send.error.fields : {};
  const wrong = Object.entries(fields)
    .find(([path]) => path.includes('identifierValue'))?.[1]
    .join('; ');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate({ type: 'text', text: { text: text.trim(), ...(subject.trim() ? { metadata: { subject: subject.trim() } } : {}) } });
  };
  // Fields that change places lose what is being typed into them, so none is shown before it is known which there are.
  if (isPending) return <Loader aria-label="Loading" size="sm" />;
  const address = (
    <TextInput
      label={label}
      placeholder={example}
      type={identifierKey === 'emailaddress' ? 'email' : 'tel'}
      value={to}
      onChange={(event) => setTo(event.currentTarget.value)}
      error={wrong ?? (asked && !to.trim() ? 'This is needed.' : undefined)}
      autoComplete="off"
      required
    />
  );
  const problem = send.error && !wrong && <Problem error={send.error} title="Not sent" />;
  // Where free messages are allowed only after the customer's, the first one is a template.
  if (capabilities?.window && capabilities.templates) {
    return (
      <Stack>
        {address}
        {problem}
        <Text size="sm" c="dimmed">
          Whoever has not written yet gets an approved template first.
        </Text>
        <TemplateChooser
          channelId={channelId}
          onSend={(template) => (to.trim() ? send.mutate({ type: 'template', template }) : setAsked(true))}
        />
      </Stack>
    );
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {address}
        {capabilities?.email && <TextInput label="Subject" value={subject} onChange={(event) => setSubject(event.currentTarget.value)} />}
        <Textarea
          label="Text"
          autosize
          minRows={5}
          maxRows={16}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          required
        />
        {problem}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={send.isPending} disabled={!to.trim() || !text.trim()}>
            Send
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
