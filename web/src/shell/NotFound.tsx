import { Button } from '@mantine/core';
import { IconMapQuestion } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { EmptyState } from '../components/EmptyState.tsx';

export function NotFound() {
  return (
    <EmptyState
      icon={IconMapQuestion}
      title="There is no such page"
      action={
        <Button component={Link} to="/inbox" variant="light" mt="xs">
          Go to the inbox
        </Button>
      }
    />
  );
}
