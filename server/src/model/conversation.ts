/** The messages of one channel with one contact; for mail, of one thread. */
export interface Conversation {
  workspaceId: string;
  id: string;
  channelId: string;
  contactId: string;
  threadKey: string;
  threadData: Record<string, unknown>;
  subject: string | null;
  /** `OPEN`, `CLOSED` or a word of the user's own; null until somebody sets it, which counts as open. */
  state: string | null;
  tags: string[];
  unreadCount: number;
  metadata: Record<string, unknown>;
  lastMessageId: string | null;
  lastMessageAt: Date | null;
  lastInboundAt: Date | null;
  windowExpiresAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
}

/** True unless somebody closed it. */
export function isOpen(conversation: Pick<Conversation, 'state'>): boolean {
  return conversation.state?.toUpperCase() !== 'CLOSED';
}
