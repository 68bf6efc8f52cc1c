import { Stack } from '@mantine/core';
import type { Schema } from '../api/types.ts';
import { FieldGroup } from './FieldGroup.tsx';
import { SchemaField } from './SchemaField.tsx';
import { applies, fieldsOf, getAt, kindOf, partOf, setAt, type Values } from './schema-values.ts';

interface Props {
  schema: Schema;
  values: Values;
  onChange: (values: Values) => void;
  /** What is wrong, by path (`config.headerText`). */
  problems?: Record<string, string>;
  /** Groups that stand open from the start. */
  openGroups?: boolean;
}

/** The fields that a connector's schema declares, and nothing that it does not. */
export function SchemaForm({ schema, values, onChange, problems = {}, openGroups = false }: Props) {
  const draw = (part: Schema, prefix: string, beside: Values) =>
    fieldsOf(part).map(([name, field]) => {
      const path = prefix + name;
      if (!applies(field, beside)) return null;
      if (kindOf(field) === 'group') {
        const troubled = Object.keys(problems).some((problem) => problem.startsWith(`${path}.`));
        return (
          <FieldGroup key={path} schema={field} name={name} startOpen={openGroups} troubled={troubled}>
            {draw(partOf(field), `${path}.`, (getAt(values, path) as Values) ?? {})}
          </FieldGroup>
        );
      }
      return (
        <SchemaField
          key={path}
          path={path}
          schema={field}
          value={getAt(values, path)}
          required={part.required?.includes(name) ?? false}
          problem={problems[path]}
          onChange={(value) => onChange(setAt(values, path, value))}
        />
      );
    });
  return <Stack gap="md">{draw(schema, '', values)}</Stack>;
}
