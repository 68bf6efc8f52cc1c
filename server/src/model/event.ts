/** What can happen, as the log names it. Surfaces translate these into their own events. */
export const EVENT_TYPES = [
  'message.created',
  'message.updated',
  'conversation.created',
  'conversation.updated',
  'contact.created',
  'contact.updated',
  'channel.created',
  'channel.updated',
  'channel.deleted',
  'domain.updated',
  'tag.updated',
  'template.updated',
  'consent.updated',
  'media.updated',
  'typing',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** One entry of a workspace's log. `data` holds what changed; the objects themselves are loaded by id. */
export interface LogEvent {
  workspaceId: string;
  /** Grows by one with every event of the workspace, in commit order. */
  seq: number;
  type: EventType;
  channelId: string | null;
  conversationId: string | null;
  contactId: string | null;
  messageId: string | null;
  data: Record<string, unknown>;
  createdAt: Date;
}
