import { Button, Group, Modal, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../api/client.ts';
import { queryClient } from '../api/query-client.ts';
import { createTemplate, templatesQuery } from '../api/templates.ts';
import { Problem } from '../components/Problem.tsx';

const CATEGORIES = [
  { value: 'UTILITY', label: 'Utility: about an order or an account' },
  { value: 'MARKETING', label: 'Marketing' },
];

/** A template of plain words, handed to the provider for approval. */
export function NewTemplate({ channelId, onClose }: { channelId: string; onClose: () => void }) {
  const [fields, setFields] = useState({ name: '', language: 'en', category: 'UTILITY', header: '', body: '', footer: '' });
  const create = useMutation({
    mutationFn: () => {
      const { header, footer, ...rest } = fields;
      return createTemplate({ channelId, ...rest, ...(header.trim() ? { header } : {}), ...(footer.trim() ? { footer } : {}) });
    },
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: templatesQuery(channelId).queryKey });
      onClose();
    },
  });
  const problems = create.error instanceof ApiError ? create.error.fields : {};
  const named = Object.keys(problems).some((name) => name in fields);
  const bind = (name: keyof typeof fields) => ({
    value: fields[name],
    error: problems[name]?.join('; '),
    onChange: ({ currentTarget: { value } }: { currentTarget: { value: string } }) => setFields((old) => ({ ...old, [name]: value })),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Modal opened onClose={onClose} title="New template" size="lg">
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            description="Small letters, digits and _"
            placeholder="order_sent"
            {...bind('name')}
            data-autofocus
            required
          />
          <Group grow align="flex-start">
            <TextInput label="Language" placeholder="en, en_US, de" {...bind('language')} required />
            <Select
              label="Category"
              data={CATEGORIES}
              value={fields.category}
              allowDeselect={false}
              onChange={(category) => setFields((old) => ({ ...old, category: category ?? 'UTILITY' }))}
            />
          </Group>
          <TextInput label="Header" {...bind('header')} />
          <Textarea
            label="Text"
            description="{{1}}, {{2}}, … stand for what is filled in when it is sent."
            autosize
            minRows={4}
            {...bind('body')}
            required
          />
          <TextInput label="Footer" {...bind('footer')} />
          {create.error && !named && <Problem error={create.error} title="Not submitted" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={create.isPending} disabled={!fields.name.trim() || !fields.body.trim()}>
              Submit for approval
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
