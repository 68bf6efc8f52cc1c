import { QueryClient } from '@tanstack/react-query';
import { expect, it } from 'vitest';
import { putConversation, putMessage } from '../src/api/cache.ts';
import { CatchUp } from '../src/api/catch-up.ts';
import type { Conversation, LiveEvent, Message, Page } from '../src/api/types.ts';

it('merges what came in while an answer was on its way', async () => {
  const client = new QueryClient();
  const catchUp = new CatchUp(client);
  const at = (second: number) => new Date(second * 1000).toISOString();
  const message = { id: 'm2', conversationId: 'c', createdAt: at(2) } as Message;
  const conversation = { id: 'c', status: 'active', lastMessageAt: at(2), createdAt: at(0), contact: { id: 'p' } } as Conversation;
  const old: { messages: Page<Message>; conversations: Page<Conversation> } = {
    messages: { results: [{ ...message, id: 'm1', createdAt: at(1) }] },
    conversations: { results: [{ ...conversation, id: 'other', lastMessageAt: at(1) }] },
  };
  const answers = Promise.withResolvers<void>();
  const read = (queryKey: readonly unknown[], page: Page<unknown>) =>
    client.fetchInfiniteQuery({ queryKey, initialPageParam: '', queryFn: () => answers.promise.then(() => page) });
  const reads = Promise.all([read(['messages', 'c'], old.messages), read(['conversations', { status: 'active' }], old.conversations)]);

  catchUp.remember({ seq: 1, message, conversation } as LiveEvent);
  putMessage(client, message);
  putConversation(client, conversation);
  answers.resolve();
  await reads;

  const shown = (key: readonly unknown[]) =>
    client.getQueryData<{ pages: Page<{ id: string }>[] }>(key)!.pages.flatMap((page) => page.results.map(({ id }) => id));
  expect(shown(['messages', 'c'])).toEqual(['m2', 'm1']);
  expect(shown(['conversations', { status: 'active' }])).toEqual(['c', 'other']);

  // What was told before a question was asked is in its answer already, and must not undo it.
  const renamed = { ...conversation, name: 'renamed' };
  client.setQueryData(['conversation', 'c'], conversation);
  await client.fetchQuery({ queryKey: ['conversation', 'c'], queryFn: async () => renamed });
  expect(client.getQueryData(['conversation', 'c'])).toEqual(renamed);
});
