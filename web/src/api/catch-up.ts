/**
 * An answer that was on its way while an event came in may be older than the event. What the stream told lately is
 * therefore merged once more into every answer that arrives.
 */
import type { QueryClient } from '@tanstack/react-query';
import { type Pages, putMessage, withConversation } from './cache.ts';
import type { Conversation, LiveEvent } from './types.ts';
import { type ConversationFilter, conversationQuery, conversationsQuery } from './workspace.ts';

/** More than come in while an answer is on its way. */
const KEPT = 1000;

export class CatchUp {
  readonly #client: QueryClient;
  /** The newest events, and how many there were before them. */
  #recent: LiveEvent[] = [];
  #forgotten = 0;
  /** How many events there were when a question was asked, by the question. */
  readonly #asked = new Map<string, number>();

  constructor(client: QueryClient) {
    this.#client = client;
    client.getQueryCache().subscribe((notice) => {
      if (notice.type !== 'updated') return;
      const { queryHash, queryKey } = notice.query;
      const { action } = notice;
      if (action.type === 'fetch') this.#asked.set(queryHash, this.#forgotten + this.#recent.length);
      if (action.type !== 'success' || action.manual) return;
      const asked = this.#asked.get(queryHash) ?? 0;
      this.#asked.delete(queryHash);
      for (const event of this.#recent.slice(Math.max(0, asked - this.#forgotten))) this.#merge(event, queryKey);
    });
  }

  remember(event: LiveEvent): void {
    this.#recent.push(event);
    if (this.#recent.length <= KEPT) return;
    this.#recent.shift();
    this.#forgotten++;
  }

  #merge({ message, conversation }: LiveEvent, [kind, about]: readonly unknown[]): void {
    if (kind === 'messages' && message?.conversationId === about) putMessage(this.#client, message!);
    if (kind === 'conversation' && conversation?.id === about) {
      this.#client.setQueryData(conversationQuery(conversation!.id).queryKey, conversation);
    }
    if (kind === 'conversations' && conversation) this.#mergeList(about as ConversationFilter, conversation);
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
