import { Collapse, Text, UnstyledButton } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { type ReactNode, useId, useState } from 'react';
import type { Schema } from '../api/types.ts';
import classes from './FieldGroup.module.css';
import { titleOf } from './field-title.ts';

interface Props {
  schema: Schema;
  name: string;
  startOpen: boolean;
  /** Something in it is wrong: it stands open. */
  troubled: boolean;
  children: ReactNode;
}

/** Fields that belong together, folded away until somebody wants them. */
export function FieldGroup({ schema, name, startOpen, troubled, children }: Props) {
  const [open, setOpen] = useState(startOpen);
  const id = useId();
  const expanded = open || troubled;
  return (
    <fieldset className={classes.group}>
      <UnstyledButton className={classes.head} onClick={() => setOpen(!expanded)} aria-expanded={expanded} aria-controls={id}>
        <IconChevronRight size={16} className={classes.arrow} data-open={expanded || undefined} aria-hidden />
        <Text fw={600} size="sm">
          {titleOf(name, schema)}
        </Text>
      </UnstyledButton>
      <Collapse expanded={expanded} id={id}>
        {schema.description && (
          <Text size="xs" c="dimmed" mb="sm">
            {schema.description}
          </Text>
        )}
        <div className={classes.fields}>{children}</div>
      </Collapse>
    </fieldset>
  );
}
