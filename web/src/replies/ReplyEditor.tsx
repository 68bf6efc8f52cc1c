import { Button, Group, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { ApiError } from '../api/client.ts';
import { queryClient } from '../api/query-client.ts';
import { changeReply, createReply, type ReplyFields, savedRepliesQuery } from '../api/templates.ts';
import type { SavedReply } from '../api/types.ts';
import { Problem } from '../components/Problem.tsx';

/** What is filled in by itself when a reply is inserted. */
const NAMES = ['contact_first_name', 'contact_name', 'contact_email', 'contact_phone', 'agent_name', 'channel_name', 'subject'];

/** Writes a new saved reply, or changes one. */
export function ReplyEditor({ reply, onClose }: { reply?: SavedReply; onClose: () => void }) {
  const [title, setTitle] = useState(reply?.title ?? '');
  const [category, setCategory] = useState(reply?.category ?? '');
  const [body, setBody] = useState(reply?.body ?? '');
  const field = useRef<HTMLTextAreaElement>(null);
  const save = useMutation({
    mutationFn: (fields: ReplyFields) => (reply ? changeReply(reply.id, fields) : createReply(fields)),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: savedRepliesQuery.queryKey });
      await queryClient.invalidateQueries({ queryKey: ['reply-text'] });
      onClose();
    },
  });
  const problems = save.error instanceof ApiError ? save.error.fields : {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ title: title.trim(), category: category.trim() || null, body });
  };
  const insert = (name: string) => {
    const area = field.current;
    const [from, to] = [area?.selectionStart ?? body.length, area?.selectionEnd ?? body.length];
    setBody(`${body.slice(0, from)}{{${name}}}${body.slice(to)}`);
    area?.focus();
  };
  return (
    <Modal opened onClose={onClose} title={reply ? 'Change the reply' : 'New reply'} size="lg">
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Title"
            description="What you will look for."
            value={title}
            onChange={(event) => setTitle(event.currentTarget.value)}
            error={problems.title?.join('; ')}
            data-autofocus
            required
          />
          <TextInput
            label="Category"
            value={category}
            onChange={(event) => setCategory(event.currentTarget.value)}
            error={problems.category?.join('; ')}
          />
          <Textarea
            ref={field}
            label="Text"
            value={body}
            onChange={(event) => setBody(event.currentTarget.value)}
            error={problems.body?.join('; ')}
            autosize
            minRows={5}
            maxRows={16}
            required
          />
          <div>
            <Text size="sm" c="dimmed" mb={6}>
              Filled in when it is inserted:
            </Text>
            <Group gap={6}>
              {NAMES.map((name) => (
                <Button key={name} size="compact-xs" variant="default" ff="monospace" fw={400} onClick={() => insert(name)}>
                  {`{{${name}}}`}
                </Button>
              ))}
            </Group>
          </div>
          {save.error && Object.keys(problems).length === 0 && <Problem error={save.error} title="Not saved" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending} disabled={!title.trim() || !body.trim()}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
