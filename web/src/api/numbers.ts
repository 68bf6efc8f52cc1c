/** Phone numbers and the provider accounts that they come from, as the pages ask for them. */
import { queryOptions } from '@tanstack/react-query';
import type { Integration, OfferedNumber, PhoneNumber } from './types.ts';
import { ask } from './workspace.ts';

export const numbersQuery = queryOptions({
  queryKey: ['phone-numbers'],
  queryFn: ({ signal }) => ask<{ results: PhoneNumber[] }>('/phone-numbers', { signal }).then(({ results }) => results),
});

export const smsAccountsQuery = queryOptions({
  queryKey: ['integrations', 'sms'],
  queryFn: ({ signal }) =>
    ask<{ results: Integration[] }>('/integrations', { query: { type: 'sms' }, signal }).then(({ results }) => results),
});

export interface NumberSearch {
  country: string;
  areaCode?: string;
  contains?: string;
  integrationId?: string;
}

export const searchNumbers = (search: NumberSearch) =>
  ask<{ results: OfferedNumber[] }>('/phone-numbers/offers', { query: { ...search } }).then(({ results }) => results);
export const buyNumber = (phoneNumber: string, integrationId?: string) =>
  ask<PhoneNumber>('/phone-numbers/purchase', { method: 'POST', body: { phoneNumber, integrationId } });
export const importNumbers = (integrationId?: string) =>
  ask<{ results: PhoneNumber[] }>('/phone-numbers/import', { method: 'POST', body: { integrationId } }).then(({ results }) => results);
export const removeNumber = (id: string, release: boolean) => ask<void>(`/phone-numbers/${id}`, { method: 'DELETE', query: { release } });

export const addAccount = (account: { name: string; type: 'sms'; config: Record<string, unknown> }) =>
  ask<Integration>('/integrations', { method: 'POST', body: account });
export const changeAccount = (id: string, change: { name?: string; config?: Record<string, unknown> }) =>
  ask<Integration>(`/integrations/${id}`, { method: 'PATCH', body: change });
export const deleteAccount = (id: string) => ask<void>(`/integrations/${id}`, { method: 'DELETE' });
