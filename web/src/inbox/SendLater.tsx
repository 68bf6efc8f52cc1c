import { ActionIcon, Button, Popover, Text, TextInput, Tooltip, UnstyledButton } from '@mantine/core';
import { IconCalendarTime } from '@tabler/icons-react';
import { useState } from 'react';
import { dayAndTime } from '../components/time.ts';
import classes from './Composer.module.css';
import { choices, fieldValue, problemOf } from './later.ts';

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Lets the message go out at a time of the agent's choice. */
export function SendLater({ disabled, onPick }: { disabled: boolean; onPick: (at: Date) => void }) {
  const [opened, setOpened] = useState(false);
  const [value, setValue] = useState('');
  const now = new Date();
  const problem = value === '' ? undefined : problemOf(value, now);

  const pick = (at: Date) => {
    setOpened(false);
    onPick(at);
  };
  const open = () => {
    setValue('');
    setOpened(!opened);
  };

  return (
    <Popover opened={opened} onChange={setOpened} position="top-end" shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <Tooltip label="Send later" disabled={opened}>
          <ActionIcon size="lg" onClick={open} disabled={disabled} aria-label="Schedule" aria-expanded={opened}>
            <IconCalendarTime size={20} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown p={8} className={classes.later}>
        {choices(now).map(({ label, at }) => (
          <UnstyledButton key={label} className={classes.laterChoice} onClick={() => pick(at)}>
            <span>{label}</span>
            <Text span size="sm" c="dimmed">
              {dayAndTime(at.toISOString())}
            </Text>
          </UnstyledButton>
        ))}
        <form
          className={classes.laterForm}
          onSubmit={(event) => {
            event.preventDefault();
            if (value !== '' && !problem) pick(new Date(value));
          }}
        >
          <TextInput
            type="datetime-local"
            size="sm"
            label="At another time"
            description={`Your time: ${ZONE}`}
            value={value}
            min={fieldValue(now)}
            error={problem}
            onChange={(event) => setValue(event.currentTarget.value)}
          />
          <Button type="submit" size="sm" fullWidth disabled={value === '' || problem !== undefined}>
            Schedule it
          </Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
