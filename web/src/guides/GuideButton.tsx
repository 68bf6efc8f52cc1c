import { Button, Drawer } from '@mantine/core';
import { IconBook2 } from '@tabler/icons-react';
import { useState } from 'react';
import { Guide } from './Guide.tsx';

/** Opens the guide beside what one is looking at. */
export function GuideButton({ name }: { name: string }) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button variant="default" leftSection={<IconBook2 size={16} />} onClick={() => setOpened(true)}>
        Guide
      </Button>
      <Drawer opened={opened} onClose={() => setOpened(false)} position="right" size="lg" title="Guide">
        <Guide name={name} />
      </Drawer>
    </>
  );
}
