/**
 * An answer that was on its way while an event came in may be older than the event. What the stream told lately is
 * therefore merged once more into every answer that arrives.
 */
import type { QueryClient } from '@tanstack/react-query';
import { type Pages, putMessage, withConversation } from './cache.ts';
import type { Conversation, LiveEvent } from './types.ts';
import { type ConversationFilter, conversationQuery, conversationsQuery } from './workspace.ts';

/** Longer than any answer may take. */
const KEPT_MS = 30_000;
const KEPT = 500;

export class CatchUp {
  readonly #client: QueryClient;
  #recent: { at: number; event: LiveEvent }[] = [];

  constructor(client: QueryClient) {
    this.#client = client;
    client.getQueryCache().subscribe((notice) => {
      if (notice.type !== 'updated' || notice.action.type !== 'success' || notice.action.manual) return;
      this.#merge(notice.query.queryKey);
    });
  }

  remember(event: LiveEvent): void {
    if (!event.message && !event.conversation) return;
    this.#recent.push({ at: Date.now(), event });
    if (this.#recent.length > KEPT) this.#recent.shift();
  }

  #merge([kind, about]: readonly unknown[]): void {
    const since = Date.now() - KEPT_MS;
    this.#recent = this.#recent.filter(({ at }) => at >= since);
    for (const { event } of this.#recent) {
      const { message, conversation } = event;
      if (kind === 'messages' && message?.conversationId === about) putMessage(this.#client, message!);
      if (kind === 'conversation' && conversation?.id === about) {
        this.#client.setQueryData(conversationQuery(conversation!.id).queryKey, conversation);
      }
      if (kind === 'conversations' && conversation) this.#mergeList(about as ConversationFilter, conversation);
    }
  }

  #mergeList(filter: ConversationFilter, conversation: Conversation): void {
    // Only the server knows what a search finds.
    if (filter.search) return;
    this.#client.setQueryData<Pages<Conversation>>(
      conversationsQuery(filter).queryKey,
      (data) => data && withConversation(data, conversation, filter),
    );
  }
}
