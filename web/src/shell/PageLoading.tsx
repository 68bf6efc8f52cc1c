import { Center, Loader } from '@mantine/core';

export function PageLoading() {
  return (
    <Center h="100%">
      <Loader aria-label="Loading" />
    </Center>
  );
}
