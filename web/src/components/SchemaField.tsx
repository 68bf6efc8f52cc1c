import { ColorInput, NumberInput, PasswordInput, Select, Switch, TagsInput, Textarea, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Schema } from '../api/types.ts';
import { titleOf } from './field-title.ts';
import { sentence } from './Problem.tsx';
import { choicesOf, choiceWords, kindOf } from './schema-values.ts';

interface Props {
  path: string;
  schema: Schema;
  value: unknown;
  required: boolean;
  problem?: string;
  onChange: (value: unknown) => void;
}

/** One field, drawn as its schema says. */
export function SchemaField({ path, schema, value, required, problem, onChange }: Props) {
  const name = path.split('.').at(-1)!;
  const common = {
    name: path,
    label: titleOf(name, schema),
    description: descriptionOf(schema),
    error: problem,
    withAsterisk: required,
    'aria-required': required,
  };
  const example = schema.examples?.[0];
  const placeholder = example === undefined || typeof example === 'object' ? undefined : String(example);
  const text = value === undefined || value === null ? '' : String(value);

  switch (kindOf(schema)) {
    case 'secret':
      return (
        <PasswordInput
          {...common}
          value={text}
          placeholder={placeholder}
          autoComplete="new-password"
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case 'multiline':
      return (
        <Textarea
          {...common}
          value={text}
          placeholder={placeholder}
          autosize
          minRows={3}
          maxRows={12}
          autoComplete="off"
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case 'flag':
      return (
        <Switch
          name={path}
          label={common.label}
          description={common.description}
          error={problem}
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
          mt={4}
        />
      );
    case 'choice':
      return (
        <Select
          {...common}
          data={choicesOf(schema)!.map((choice) => ({ value: choice, label: choiceWords(schema, choice) }))}
          value={text || null}
          placeholder={placeholder ?? (required ? 'Choose one' : 'As usual')}
          clearable={!required}
          onChange={(chosen) => onChange(chosen ?? undefined)}
        />
      );
    case 'number':
      return (
        <NumberInput
          {...common}
          value={typeof value === 'number' ? value : ''}
          min={schema.minimum}
          max={schema.maximum}
          allowDecimal={schema.type !== 'integer'}
          placeholder={placeholder}
          onChange={(next) => onChange(next === '' ? undefined : Number(next))}
        />
      );
    case 'texts':
      return (
        <TagsInput
          {...common}
          value={Array.isArray(value) ? value.map(String) : []}
          placeholder={placeholder ?? 'Write one and press Enter'}
          acceptValueOnBlur
          onChange={onChange}
        />
      );
    case 'color':
      return (
        <ColorInput
          {...common}
          value={text}
          placeholder={placeholder ?? (required ? 'Choose one' : 'As usual')}
          popoverProps={{ withinPortal: true }}
          onChange={onChange}
        />
      );
    default:
      return (
        <TextInput
          {...common}
          value={text}
          placeholder={placeholder}
          type={schema.format === 'email' ? 'email' : 'text'}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
  }
}

/** What the field is for, and where its value is found. */
function descriptionOf({ description, help }: Schema): ReactNode {
  if (!description && !help) return undefined;
  return (
    <>
      {description && sentence(description)}
      {description && help && <br />}
      {help}
    </>
  );
}
