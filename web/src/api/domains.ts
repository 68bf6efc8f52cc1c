/** Mail domains, as the pages ask for them. */
import { queryOptions } from '@tanstack/react-query';
import type { EmailDomain } from './types.ts';
import { ask } from './workspace.ts';

export const domainsQuery = queryOptions({
  queryKey: ['email-domains'],
  queryFn: ({ signal }) => ask<{ results: EmailDomain[] }>('/email-domains', { signal }).then(({ results }) => results),
});

export const addDomain = (domain: string) => ask<EmailDomain>('/email-domains', { method: 'POST', body: { domain } });
export const verifyDomain = (id: string) => ask<EmailDomain>(`/email-domains/${id}/verify`, { method: 'POST', body: {} });
export const deleteDomain = (id: string) => ask<void>(`/email-domains/${id}`, { method: 'DELETE' });
