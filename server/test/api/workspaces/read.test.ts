import { expect, it } from 'vitest';
import { eventsAfter } from '../../../src/store/events.ts';
import { testApp } from '../support.ts';

it('tells which messages an agent read, so that the visitor sees it, and who closed a conversation', async () => {
  const t = await testApp();
  const key = await t.makeKey(['*'], { sandbox: true });
  const channel = (await t.call('POST', '/channels', { key, body: { source: 'chatplugin', input: { name: 'read' } } })).json;
  await t.call('POST', '/sandbox/customers/messages', {
    key,
    body: { channelId: channel.id, customer: 'ann', message: { text: 'Hello' } },
  });
  const [conversation] = (await t.call('GET', `/conversations?channelId=${channel.id}`, { key })).json.results;
  expect((await t.call('POST', `/conversations/${conversation.id}/read`, { key })).status).toBe(204);
  await t.call('PATCH', `/conversations/${conversation.id}`, { key, body: { status: 'closed' } });
  const events = (await eventsAfter(t.engine.database, t.workspaceId, 0, 1000)).filter(({ type }) => type === 'conversation.updated');
  expect(events.map(({ data }) => data)).toEqual([
    { unreadCount: 0, read: [conversation.lastMessage.id] },
    { status: 'closed', state: 'CLOSED' },
  ]);
});
