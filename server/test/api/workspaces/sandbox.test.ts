import { describe, expect, it } from 'vitest';
import { SandboxCustomers } from '../../../src/engine/sandbox-customer.ts';
import { until } from '../../support/until.ts';
import { testApp, visitorWrites } from '../support.ts';

const t = await testApp();
const key = await t.makeKey(['*'], { sandbox: true });
const connect = async (name: string) =>
  (await t.call('POST', '/channels', { key, body: { source: 'chatplugin', input: { name } } })).json as { id: string };
const write = (channelId: string, message: object, customer = 'ann') =>
  t.call('POST', '/sandbox/customers/messages', { key, body: { channelId, customer, name: 'Ann', message } });
const conversationOf = async (channelId: string) => (await t.call('GET', `/conversations?channelId=${channelId}`, { key })).json.results[0];
const textsOf = async (id: string): Promise<string[]> =>
  (await t.call('GET', `/conversations/${id}/messages?limit=100&reverse=true`, { key })).json.results.map(
    (message: { content: { text: string } }) => message.content.text,
  );
const answer = (id: string, text: string) =>
  t.call('POST', `/conversations/${id}/messages`, { key, body: { body: { type: 'text', text: { text } } } });

describe('the simulated customer', () => {
  it('writes through the same door, once for each id', async () => {
    const channel = await connect('writes');
    expect(await write(channel.id, { text: 'Hello', id: 'm1' })).toMatchObject({ status: 202, json: { platformReference: 'm1' } });
    await write(channel.id, { text: 'Hello', id: 'm1' });
    await write(channel.id, { attachment: { type: 'image', url: 'https://example.com/a.png' } });
    const conversation = await conversationOf(channel.id);
    expect(conversation).toMatchObject({ contact: { computedDisplayName: 'Ann' }, unreadCount: 2 });
  });

  it('answers agents by its script, in order and once, also with two processes listening', async () => {
    const channel = await connect('script');
    const { database, channels, feed, ingest, log } = t.engine;
    const second = new SandboxCustomers({ database, channels, feed, ingest, log });
    second.start();
    const script = { replies: ['First', 'Second'], delayMs: 20 };
    expect((await t.call('POST', `/sandbox/channels/${channel.id}/script`, { key, body: script })).status).toBe(204);
    await write(channel.id, { text: 'Hello' });
    const { id } = await conversationOf(channel.id);
    await answer(id, 'Yes?');
    await until(async () => (await textsOf(id)).length === 3);
    await answer(id, 'Anything else?');
    await until(async () => (await textsOf(id)).length === 5);
    await answer(id, 'Bye');
    await write(channel.id, { text: 'The end' });
    expect(await textsOf(id)).toEqual(['Hello', 'Yes?', 'First', 'Anything else?', 'Second', 'Bye', 'The end']);
    const events = await t.engine.database.query(`select count(*)::integer as n from raw_events where source_channel_id = 'script'`);
    expect(events.rows[0].n).toBeGreaterThan(4);
    await second.stop();
  });

  it('is polite without a script, and reads what it answers', async () => {
    const channel = await connect('polite');
    await write(channel.id, { text: 'Hello' });
    const { id } = await conversationOf(channel.id);
    const sent = await answer(id, 'How can I help?');
    await until(async () => (await textsOf(id)).length === 3);
    expect((await t.call('GET', `/channels/${channel.id}/messages/${sent.json.id}`, { key })).json.state).toBe('read');
  });

  it('never speaks for a person who tries the widget, nor on live channels', async () => {
    const channel = await connect('person');
    await t.call('POST', `/sandbox/channels/${channel.id}/script`, { key, body: { replies: ['Never'], delayMs: 0 } });
    await visitorWrites(t.engine, 'person', { visitor: 'somebody', text: 'Hello' });
    await write(channel.id, { text: 'Hi' }, 'robot');
    const rows = (await t.call('GET', `/conversations?channelId=${channel.id}`, { key })).json.results;
    for (const row of rows) await answer(row.id, 'Hello');
    const robot = rows.find(
      (row: { contact: { identifiers: { value: string }[] } }) => row.contact.identifiers[0]!.value === 'sandbox:robot',
    );
    const person = rows.find((row: { id: string }) => row.id !== robot.id);
    await until(async () => (await textsOf(robot.id)).length === 3);
    expect(await textsOf(person.id)).toEqual(['Hello', 'Hello']);

    const live = (await t.call('POST', '/channels', { body: { source: 'chatplugin', input: { name: 'really' } } })).json;
    const body = { channelId: live.id, customer: 'ann', message: { text: 'x' } };
    expect((await t.call('POST', '/sandbox/customers/messages', { body })).status).toBe(403);
    expect((await t.call('POST', '/sandbox/customers/messages', { key, body })).status).toBe(404);
  });
});
