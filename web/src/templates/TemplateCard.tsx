import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { queryClient } from '../api/query-client.ts';
import { deleteTemplate, templatesQuery } from '../api/templates.ts';
import type { ProviderTemplate } from '../api/types.ts';
import { Problem } from '../components/Problem.tsx';
import { Badge } from '../components/StatusBadge.tsx';
import { qualityTone, statusTone, wordsOf } from './status.ts';
import { TemplateForm } from './TemplateForm.tsx';
import classes from './templates.module.css';

export function TemplateCard({ template, channelId }: { template: ProviderTemplate; channelId: string }) {
  const { name, language, status, category, quality, rejectedReason, body } = template;
  const [opened, setOpened] = useState<'preview' | 'delete'>();
  const remove = useMutation({
    mutationFn: () => deleteTemplate(template.id),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: templatesQuery(channelId).queryKey }),
  });
  return (
    <li className={classes.template}>
      <div className={classes.head}>
        <strong>{name}</strong>
        <span className={classes.language}>{language}</span>
        <Badge tone={statusTone(status)}>{wordsOf(status)}</Badge>
        {quality && qualityTone(quality) && <Badge tone={qualityTone(quality)!}>{`Quality: ${wordsOf(quality).toLowerCase()}`}</Badge>}
        {category && (
          <Text size="xs" c="dimmed" component="span">
            {wordsOf(category)}
          </Text>
        )}
      </div>
      {rejectedReason && (
        <Text size="sm" c="var(--pb-bad-text)">
          Refused: {wordsOf(rejectedReason)}
        </Text>
      )}
      <Text size="sm" c="dimmed" className={classes.body}>
        {body}
      </Text>
      <Group gap={4}>
        <Button size="compact-sm" variant="default" onClick={() => setOpened('preview')} aria-label={`Preview ${name}`}>
          Preview
        </Button>
        <Button size="compact-sm" variant="subtle" color="red" onClick={() => setOpened('delete')} aria-label={`Delete ${name}`}>
          Delete
        </Button>
      </Group>
      <Modal opened={opened === 'preview'} onClose={() => setOpened(undefined)} title={`${name} (${language})`} size="lg">
        <TemplateForm template={template} />
      </Modal>
      <Modal opened={opened === 'delete'} onClose={() => setOpened(undefined)} title={`Delete ${name}?`}>
        <Stack>
          <Text size="sm">It is deleted at the provider, in this language. Its name may be blocked there for some weeks.</Text>
          {remove.error && <Problem error={remove.error} title="Not deleted" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setOpened(undefined)}>
              Keep it
            </Button>
            <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
              Delete
            </Button>
          </Group>
        </Stack>
      </Modal>
    </li>
  );
}
