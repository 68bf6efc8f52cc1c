import { QueryClient } from '@tanstack/react-query';
import { ApiError } from './client.ts';

/** What was read stays fresh until an event says otherwise: the live stream keeps it so. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      // A browser that believes to be offline may still reach a Patchbay on the same machine.
      networkMode: 'always',
      retry: (failures, error) => failures < 2 && (!(error instanceof ApiError) || error.mayPass),
    },
    mutations: { networkMode: 'always' },
  },
});
