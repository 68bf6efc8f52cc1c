import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { renderQuery } from '../api/templates.ts';
import type { ProviderTemplate, TemplateChoice, TemplateField } from '../api/types.ts';
import { Problem } from '../components/Problem.tsx';
import { componentsOf, keyOf } from './fill.ts';
import classes from './templates.module.css';

interface Props {
  template: ProviderTemplate;
  /** Without it the form only shows what the customer would read. */
  onSend?: (choice: TemplateChoice, preview: string) => void;
}

/** The values of a template, and what the customer reads with them. */
export function TemplateForm({ template, onSend }: Props) {
  const [values, setValues] = useState<Record<string, string>>({});
  const [tried, setTried] = useState(false);
  const { fields, name, language } = template;
  const components = componentsOf(fields, values);
  const { data, error } = useQuery({ ...renderQuery(template.id, components), placeholderData: keepPreviousData });
  const missing = fields.filter((field) => !values[keyOf(field)]?.trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (missing.length === 0 && data && data.problems.length === 0) onSend?.({ name, locale: language, components }, data.text);
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {fields.map((field) => (
          <TextInput
            key={keyOf(field)}
            label={labelOf(field)}
            description={field.component === 'body' ? undefined : field.text}
            placeholder={field.type === 'text' || field.type === 'coupon_code' ? undefined : 'https://…'}
            value={values[keyOf(field)] ?? ''}
            onChange={(event) => {
              const { value } = event.currentTarget;
              setValues((old) => ({ ...old, [keyOf(field)]: value }));
            }}
            error={tried && missing.includes(field) ? 'This is needed.' : undefined}
            required
          />
        ))}
        <div>
          <Text size="sm" fw={600} mb={4}>
            The customer reads
          </Text>
          <div className={classes.preview}>{data?.text ?? template.body}</div>
        </div>
        {error && <Problem error={error} title="No preview" />}
        {missing.length === 0 && data && data.problems.length > 0 && (
          <Text size="sm" c="var(--pb-bad-text)" role="alert">
            {data.problems.join(' ')}
          </Text>
        )}
        {onSend && (
          <Group justify="flex-end">
            <Button type="submit">Send the template</Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}

function labelOf(field: TemplateField): string {
  const what = field.name === '' ? (field.type === 'coupon_code' ? 'Code' : `Address of the ${field.type}`) : `{{${field.name}}}`;
  if (field.component === 'header') return `Header: ${what}`;
  return field.component === 'button' ? `Button ${(field.index ?? 0) + 1}: ${what}` : what;
}
