import { Button, Modal, Skeleton, Stack, Text, TextInput, UnstyledButton } from '@mantine/core';
import { IconChevronLeft, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { templatesQuery } from '../api/templates.ts';
import type { Conversation, ProviderTemplate, TemplateChoice } from '../api/types.ts';
import { ButtonLink } from '../components/ButtonLink.tsx';
import { Problem } from '../components/Problem.tsx';
import { isApproved } from '../templates/status.ts';
import { TemplateForm } from '../templates/TemplateForm.tsx';
import classes from '../templates/templates.module.css';
import { enqueue } from './outbox.ts';

interface Props {
  conversation: Conversation;
  onClose: () => void;
}

/** Chooses an approved template, takes its values, shows what the customer will read, and sends it. */
export function TemplatePicker({ conversation, onClose }: Props) {
  const { data, error, isPending, refetch } = useQuery(templatesQuery(conversation.channelId));
  const [chosen, setChosen] = useState<ProviderTemplate>();
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const approved = data?.filter(({ status }) => isApproved(status));
  const shown = approved?.filter(({ name, body }) => `${name} ${body}`.toLowerCase().includes(wanted));
  const send = (template: TemplateChoice, preview: string) => {
    const { name, locale: language } = template;
    enqueue(conversation.id, { body: { type: 'template', template } }, { type: 'template', name, language, components: [], preview });
    onClose();
  };
  return (
    <Modal opened onClose={onClose} title={chosen ? `${chosen.name} (${chosen.language})` : 'Send a template'} size="lg">
      {chosen ? (
        <Stack gap="sm" align="stretch">
          <Button
            variant="subtle"
            size="compact-sm"
            leftSection={<IconChevronLeft size={15} />}
            onClick={() => setChosen(undefined)}
            style={{ alignSelf: 'flex-start' }}
          >
            Another template
          </Button>
          <TemplateForm template={chosen} onSend={send} />
        </Stack>
      ) : (
        <Stack gap="xs">
          {error && <Problem error={error} title="The templates could not be read" onRetry={() => void refetch()} />}
          {isPending && <Skeleton height={120} aria-hidden />}
          {approved && approved.length > 5 && (
            <TextInput
              leftSection={<IconSearch size={16} />}
              placeholder="Part of the name or the text"
              aria-label="Search the templates"
              value={search}
              onChange={(event) => setSearch(event.currentTarget.value)}
              data-autofocus
            />
          )}
          {approved?.length === 0 && (
            <>
              <Text size="sm">The provider has approved no template of this account yet.</Text>
              <ButtonLink
                to="/channels/$channelId"
                params={{ channelId: conversation.channelId }}
                search={{ tab: 'templates' }}
                variant="default"
                size="xs"
                style={{ alignSelf: 'flex-start' }}
              >
                Templates of the channel
              </ButtonLink>
            </>
          )}
          {shown?.map((template) => (
            <UnstyledButton key={template.id} className={classes.pick} onClick={() => setChosen(template)}>
              <span className={classes.head}>
                <strong>{template.name}</strong>
                <span className={classes.language}>{template.language}</span>
              </span>
              <Text size="sm" c="dimmed" component="span" lineClamp={2}>
                {template.body}
              </Text>
            </UnstyledButton>
          ))}
        </Stack>
      )}
    </Modal>
  );
}
