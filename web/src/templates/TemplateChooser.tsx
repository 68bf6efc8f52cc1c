import { Button, Skeleton, Stack, Text, TextInput, UnstyledButton } from '@mantine/core';
import { IconChevronLeft, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { templatesQuery } from '../api/templates.ts';
import type { ProviderTemplate, TemplateChoice } from '../api/types.ts';
import { ButtonLink } from '../components/ButtonLink.tsx';
import { Problem } from '../components/Problem.tsx';
import { isApproved } from './status.ts';
import { TemplateForm } from './TemplateForm.tsx';
import classes from './templates.module.css';

interface Props {
  channelId: string;
  onSend: (choice: TemplateChoice, preview: string) => void;
}

/** Chooses an approved template, takes its values, and shows what the customer will read. */
export function TemplateChooser({ channelId, onSend }: Props) {
  const { data, error, isPending, refetch } = useQuery(templatesQuery(channelId));
  const [chosen, setChosen] = useState<ProviderTemplate>();
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const approved = data?.filter(({ status }) => isApproved(status));
  const shown = approved?.filter(({ name, body }) => `${name} ${body}`.toLowerCase().includes(wanted));
  if (chosen) {
    return (
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
        <Text fw={600} size="sm">
          {chosen.name} ({chosen.language})
        </Text>
        <TemplateForm template={chosen} onSend={onSend} />
      </Stack>
    );
  }
  return (
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
            params={{ channelId }}
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
  );
}
