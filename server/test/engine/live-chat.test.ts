import { beforeAll, describe, expect, it } from 'vitest';
import type { ChatEvent } from '../../src/connectors/chatplugin/index.ts';
import type { RawEvent } from '../../src/connectors/connector.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { uuidv7 } from '../../src/model/ids.ts';
import type { ChannelRow } from '../../src/store/channels.ts';
import { listConversations } from '../../src/store/conversations.ts';
import { eventsAfter } from '../../src/store/events.ts';
import { getMessage, listInConversation } from '../../src/store/messages.ts';
import { listRawEvents } from '../../src/store/raw-events.ts';
import { testEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

let engine: Engine;
let channel: ChannelRow;

beforeAll(async () => {
  engine = await testEngine();
  channel = await engine.channels.connect({
    workspaceId: engine.defaultWorkspaceId,
    source: 'chatplugin',
    input: { name: 'shop' },
    sandbox: false,
    existing: 'refuse',
  });
});

function said(event: ChatEvent): RawEvent {
  return { source: 'chatplugin', sourceChannelId: 'shop', contentType: 'application/json', body: Buffer.from(JSON.stringify(event)) };
}

function wrote(visitor: string, text: string, id: string = uuidv7()): RawEvent {
  return said({ type: 'message', id, visitor, conversation: visitor, message: { text }, at: new Date().toISOString() });
}

describe('live chat through the engine', () => {
  it('opens one conversation for a visitor who writes twice at once, and keeps the order', async () => {
    const visitor = uuidv7();
    await Promise.all([engine.ingest.submit([wrote(visitor, 'one')]), engine.ingest.submit([wrote(visitor, 'two')])]);
    const messages = await listInConversation(engine.database, channel.workspaceId, visitor, { limit: 10 });
    expect(messages.map((message) => message.content)).toEqual([
      { type: 'text', text: 'two' },
      { type: 'text', text: 'one' },
    ]);
  });

  it('changes nothing when an event comes again', async () => {
    const visitor = uuidv7();
    const event = wrote(visitor, 'once');
    await engine.ingest.submit([event, event]);
    await engine.ingest.submit([event]);
    expect(await listInConversation(engine.database, channel.workspaceId, visitor, { limit: 10 })).toHaveLength(1);
    const { conversations } = await listConversations(engine.database, channel.workspaceId, { limit: 100 });
    expect(conversations.find((conversation) => conversation.id === visitor)?.unreadCount).toBe(1);
  });

  it('keeps what it cannot read, and applies the others of the batch', async () => {
    const visitor = uuidv7();
    const broken: RawEvent = {
      source: 'chatplugin',
      sourceChannelId: 'shop',
      contentType: 'application/json',
      body: Buffer.from('{"type":'),
    };
    await engine.ingest.submit([broken, wrote(visitor, 'fine')]);
    const kept = await listRawEvents(engine.database, channel.workspaceId, { states: ['failed'], limit: 10 });
    expect(kept[0]?.body.toString()).toBe('{"type":');
    expect(await listInConversation(engine.database, channel.workspaceId, visitor, { limit: 10 })).toHaveLength(1);
  });

  it('stores text that PostgreSQL has no place for', async () => {
    const visitor = uuidv7();
    await engine.ingest.submit([wrote(visitor, 'a\u0000b\ud800c 👍')]);
    const [message] = await listInConversation(engine.database, channel.workspaceId, visitor, { limit: 10 });
    expect(message?.content).toEqual({ type: 'text', text: 'a\ufffdb\ufffdc 👍' });
  });

  it('sends an answer, and moves it forward by the visitor’s receipts only', async () => {
    const visitor = uuidv7();
    await engine.ingest.submit([wrote(visitor, 'hello?')]);
    const sent = await engine.sender.send({
      workspaceId: channel.workspaceId,
      to: { conversationId: visitor },
      content: { type: 'text', text: 'hi!' },
      sender: { id: 'agent', name: 'Agent' },
    });
    expect(sent.state).toBe('pending');
    const stateOf = async () => (await getMessage(engine.database, channel.workspaceId, sent.id))?.state;
    await until(async () => (await stateOf()) === 'sent');
    const at = new Date().toISOString();
    await engine.ingest.submit([said({ type: 'receipt', messages: [sent.id], state: 'read', at })]);
    await engine.ingest.submit([said({ type: 'receipt', messages: [sent.id], state: 'delivered', at })]);
    expect(await stateOf()).toBe('read');
  });

  it('logs everything in commit order, without holes', async () => {
    const events = await eventsAfter(engine.database, channel.workspaceId, 0, 1000);
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.map((event) => event.type)).toContain('message.created');
  });

  it('tells those who follow, and gives those who come back what they missed', async () => {
    const visitor = uuidv7();
    const heard: number[] = [];
    const following = await engine.feed.follow(channel.workspaceId, (events) => {
      heard.push(...events.map((event) => event.seq));
    });
    await engine.ingest.submit([wrote(visitor, 'live')]);
    await until(() => heard.length >= 3);
    following.end();
    const missed: string[] = [];
    await engine.ingest.submit([wrote(visitor, 'while away')]);
    const again = await engine.feed.follow(
      channel.workspaceId,
      (events) => {
        missed.push(...events.map((event) => event.type));
      },
      { after: heard.at(-1)! },
    );
    await until(() => missed.length > 0);
    expect(missed).toEqual(['message.created']);
    again.end();
  });

  it('refuses to send on a disconnected channel, and connects it again under the same id', async () => {
    const visitor = uuidv7();
    await engine.ingest.submit([wrote(visitor, 'hi')]);
    await engine.channels.disconnect(channel.workspaceId, channel.id);
    const send = engine.sender.send({
      workspaceId: channel.workspaceId,
      to: { conversationId: visitor },
      content: { type: 'text', text: 'late' },
      sender: { id: 'agent', name: null },
    });
    await expect(send).rejects.toMatchObject({ code: 'channel-inactive' });
    const again = await engine.channels.connect({
      workspaceId: channel.workspaceId,
      source: 'chatplugin',
      input: { name: 'shop' },
      sandbox: false,
      existing: 'reuse',
    });
    expect(again.id).toBe(channel.id);
  });
});
