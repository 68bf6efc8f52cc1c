import { ActionIcon, Tooltip } from '@mantine/core';
import { IconTemplate } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import type { Conversation } from '../api/types.ts';

const TemplatePicker = lazy(() => import('./TemplatePicker.tsx').then(({ TemplatePicker }) => ({ default: TemplatePicker })));

/** Templates may also be sent while free answers are allowed. */
export function TemplateButton({ conversation }: { conversation: Conversation }) {
  const [picking, setPicking] = useState(false);
  return (
    <>
      <Tooltip label="Send a template">
        <ActionIcon size="lg" onClick={() => setPicking(true)} aria-label="Send a template">
          <IconTemplate size={20} />
        </ActionIcon>
      </Tooltip>
      {picking && (
        <Suspense>
          <TemplatePicker conversation={conversation} onClose={() => setPicking(false)} />
        </Suspense>
      )}
    </>
  );
}
