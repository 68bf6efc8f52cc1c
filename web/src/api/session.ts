import { queryOptions } from '@tanstack/react-query';
import { ApiError, request } from './client.ts';
import { queryClient } from './query-client.ts';
import type { Session } from './types.ts';

/** Who is signed in; null for nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
  queryFn: async (): Promise<Session | null> => {
    try {
      return await request<Session>('/session');
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
});

/** Exchanges a key for a session cookie. */
export async function signIn(key: string): Promise<void> {
  const session = await request<Session>('/session', { method: 'POST', body: { key } });
  queryClient.setQueryData(sessionQuery.queryKey, session);
}

/** Ends the session here and on the server. */
export async function signOut(): Promise<void> {
  await request('/session', { method: 'DELETE' });
  forgetSession();
}

/** The session is over: nothing of its workspace stays on the screen. */
export function forgetSession(): void {
  queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
  queryClient.setQueryData(sessionQuery.queryKey, null);
}

/** The workspace that is signed in to; only called on pages that show one. */
export function workspaceId(): string {
  const session = queryClient.getQueryData(sessionQuery.queryKey);
  if (!session) throw new ApiError(401, 'unauthorized', 'You are signed out.');
  return session.workspaceId;
}
