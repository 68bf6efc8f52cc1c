/** Templates and saved replies, as the pages ask for them. */
import { queryOptions } from '@tanstack/react-query';
import type { ProviderTemplate, SavedReply, SyncCounts, TemplateComponent } from './types.ts';
import { ask, everyPage } from './workspace.ts';

export const templatesQuery = (channelId: string) =>
  queryOptions({
    queryKey: ['templates', channelId],
    queryFn: ({ signal }) => everyPage<ProviderTemplate>('/templates', { channelId }, signal),
  });

export const syncTemplates = (channelId: string) => ask<SyncCounts>(`/channels/${channelId}/templates/sync`, { method: 'POST', body: {} });

export interface NewTemplate {
  channelId: string;
  name: string;
  language: string;
  category: string;
  header?: string;
  body: string;
  footer?: string;
}

export const createTemplate = (template: NewTemplate) => ask<ProviderTemplate>('/templates', { method: 'POST', body: template });
export const deleteTemplate = (id: string) => ask<void>(`/templates/${id}`, { method: 'DELETE' });

export const renderQuery = (id: string, components: TemplateComponent[]) =>
  queryOptions({
    queryKey: ['template-render', id, components],
    queryFn: ({ signal }) =>
      ask<{ text: string; problems: string[] }>(`/templates/${id}/render`, { method: 'POST', body: { components }, signal }),
  });

export const savedRepliesQuery = queryOptions({
  queryKey: ['saved-replies'],
  queryFn: ({ signal }) => everyPage<SavedReply>('/saved-replies', {}, signal),
});

export interface ReplyFields {
  title: string;
  category: string | null;
  body: string;
}

export const createReply = (reply: ReplyFields) => ask<SavedReply>('/saved-replies', { method: 'POST', body: reply });
export const changeReply = (id: string, reply: ReplyFields) => ask<SavedReply>(`/saved-replies/${id}`, { method: 'PATCH', body: reply });
export const deleteReply = (id: string) => ask<void>(`/saved-replies/${id}`, { method: 'DELETE' });

export interface RenderedReply {
  text: string;
  unresolved: string[];
}

export const replyTextQuery = (id: string, conversationId: string) =>
  queryOptions({
    queryKey: ['reply-text', id, conversationId],
    queryFn: ({ signal }) => ask<RenderedReply>(`/saved-replies/${id}/render`, { method: 'POST', body: { conversationId }, signal }),
  });
