import { ActionIcon, Button, CopyButton as Copying, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';

/** Copies a value; says so for a moment. */
export function CopyButton({ value, label, withText = false }: { value: string; label: string; withText?: boolean }) {
  return (
    <Copying value={value} timeout={1500}>
      {({ copied, copy }) => {
        const Icon = copied ? IconCheck : IconCopy;
        if (withText) {
          return (
            <Button variant="default" leftSection={<Icon size={16} />} onClick={copy}>
              {copied ? 'Copied' : label}
            </Button>
          );
        }
        return (
          <Tooltip label={copied ? 'Copied' : label}>
            <ActionIcon onClick={copy} aria-label={label} color={copied ? 'green' : 'gray'}>
              <Icon size={16} />
            </ActionIcon>
          </Tooltip>
        );
      }}
    </Copying>
  );
}
