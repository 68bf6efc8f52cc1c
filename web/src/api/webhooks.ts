/** Outgoing webhooks, as the pages ask for them. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { Page, Webhook, WebhookDelivery, WebhookDeliveryDetails, WebhookDeliveryState } from './types.ts';
import { ask, everyPage } from './workspace.ts';

const LOG_EVERY_MS = 5_000;
/** While somebody waits for an answer that is about to come. */
const SOON_MS = 700;

export const webhooksQuery = queryOptions({
  queryKey: ['webhooks'],
  queryFn: ({ signal }) => everyPage<Webhook>('/webhook-subscriptions', {}, signal),
});

export const webhookQuery = (id: string) =>
  queryOptions({ queryKey: ['webhook', id], queryFn: ({ signal }) => ask<Webhook>(`/webhook-subscriptions/${id}`, { signal }) });

/** Its first try is under way. */
const isJustMade = ({ executionStatus, attemptCount }: WebhookDelivery) => executionStatus === 'pending' && attemptCount === 0;

/** What was posted; read again every few seconds, since deliveries are not in the event log. */
export const webhookLogQuery = (id: string, executionStatus?: WebhookDeliveryState) =>
  infiniteQueryOptions({
    queryKey: ['webhook-log', id, executionStatus],
    queryFn: ({ pageParam, signal }) =>
      ask<Page<WebhookDelivery>>(`/webhook-subscriptions/${id}/logs`, {
        query: { executionStatus, limit: 30, pageToken: pageParam || undefined },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken,
    refetchInterval: ({ state }) => (state.data?.pages[0]?.results.some(isJustMade) ? SOON_MS : LOG_EVERY_MS),
  });

export const deliveryQuery = (id: string, requestId: string) =>
  queryOptions({
    queryKey: ['webhook-delivery', id, requestId],
    queryFn: ({ signal }) => ask<WebhookDeliveryDetails>(`/webhook-subscriptions/${id}/logs/details`, { query: { requestId }, signal }),
    refetchInterval: ({ state }) => (state.data?.executionStatus === 'pending' ? SOON_MS : LOG_EVERY_MS),
  });

export interface NewWebhook {
  service: Webhook['service'];
  event: string;
  url: string;
  signingKey?: string;
  eventFilters?: Webhook['eventFilters'];
}

/** Answers the signing key too, this once. */
export const createWebhook = (webhook: NewWebhook) =>
  ask<Webhook & { signingKey: string }>('/webhook-subscriptions', { method: 'POST', body: webhook });

export interface WebhookChange {
  url?: string;
  signingKey?: string;
  status?: 'active' | 'inactive';
}

export const changeWebhook = (id: string, change: WebhookChange) =>
  ask<Webhook>(`/webhook-subscriptions/${id}`, { method: 'PATCH', body: change });
export const deleteWebhook = (id: string) => ask<void>(`/webhook-subscriptions/${id}`, { method: 'DELETE' });
export const testWebhook = (id: string) => ask<{ requestId: string }>(`/webhook-subscriptions/${id}/test`, { method: 'POST', body: {} });

/** Posts one delivery again; without `requestId` all that never arrived. */
export const replayWebhook = (id: string, requestId?: string) =>
  ask<{ replayed: number }>(`/webhook-subscriptions/${id}/replay`, { method: 'POST', body: requestId ? { requestId } : {} });
