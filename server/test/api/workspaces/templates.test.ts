/** Templates, saved replies, dry runs, reactions, opt-outs: on channels of a test key, answered by the stand-ins. */
import { beforeAll, describe, expect, it } from 'vitest';
import { setConsent } from '../../../src/store/consent.ts';
import { until } from '../../support/until.ts';
import { testApp } from '../support.ts';

const t = await testApp();
const key = await t.makeKey(['*'], { sandbox: true });
const call = (method: Parameters<typeof t.call>[0], path: string, body?: unknown) =>
  t.call(method, path, { key, ...(body === undefined ? {} : { body }) });
const connect = async (source: string, input: object): Promise<string> => {
  const answer = await call('POST', '/channels', { source, input });
  expect(answer.status, answer.text).toBe(201);
  return answer.json.id;
};
const customerWrites = async (channelId: string, customer: string, text: string) => {
  const answer = await call('POST', '/sandbox/customers/messages', { channelId, customer, name: 'Ann Lee', message: { text } });
  expect(answer.status, answer.text).toBe(202);
  return until(async () => (await call('GET', `/conversations?channelId=${channelId}`)).json.results[0], { what: 'the conversation' });
};

let whatsapp: string;
beforeAll(async () => {
  whatsapp = await connect('whatsapp', { phone_number_id: '4001', business_account_id: '5001', user_token: 'any' });
});

describe('templates', () => {
  it('are read from the provider, made, previewed and deleted', async () => {
    const synced = await call('POST', `/channels/${whatsapp}/templates/sync`);
    expect(synced).toMatchObject({ status: 200, json: { synced: 1, added: 1, updated: 0 } });
    const made = await call('POST', '/templates', {
      channelId: whatsapp,
      name: 'order_sent',
      language: 'en',
      body: 'Your order {{1}} arrives on {{2}}.',
      footer: 'Thank you',
    });
    expect(made).toMatchObject({
      status: 201,
      json: {
        body: 'Your order {{1}} arrives on {{2}}.',
        channelIds: [whatsapp],
        fields: [
          { component: 'body', name: '1', type: 'text' },
          { component: 'body', name: '2', type: 'text' },
        ],
      },
    });
    const rendered = await call('POST', `/templates/${made.json.id}/render`, { variables: { 1: 'A7', 2: 'Monday' } });
    expect(rendered.json.text).toBe('Your order A7 arrives on Monday.\nThank you');
    expect((await call('POST', `/templates/${made.json.id}/render`, {})).json.problems).toContain('The body takes 2 values, and 0 given');
    const first = await call('GET', `/templates?channelId=${whatsapp}&limit=1`);
    const second = await call('GET', `/templates?channelId=${whatsapp}&limit=1&pageToken=${first.json.nextPageToken}`);
    const names = [...first.json.results, ...second.json.results].map((row: { name: string }) => row.name);
    expect(new Set(names).size).toBe(2);
    expect(second.json.nextPageToken).toBeUndefined();
    expect((await call('GET', '/templates?search=ORDER')).json.results).toHaveLength(1);
    expect((await call('GET', '/templates?pageToken=x')).status).toBe(422);
    expect((await call('DELETE', `/templates/${made.json.id}`)).status).toBe(204);
    expect((await call('GET', `/templates/${made.json.id}`)).json.status).toBe('DELETED');
    expect((await call('GET', '/templates?search=order')).json.results).toEqual([]);
  });

  it('are not there for a source that has none', async () => {
    const chat = await connect('chatplugin', { name: 'no-templates' });
    expect((await call('GET', `/templates?channelId=${chat}`)).json).toEqual({ results: [] });
    expect((await call('POST', `/channels/${chat}/templates/sync`)).status).toBe(422);
  });
});

describe('a dry run', () => {
  it('tells of the closed window and the templates that may go, and of an open one', async () => {
    const body = { body: { type: 'text', text: { text: 'Hello' } } };
    const stranger = { receiver: { contacts: [{ identifierKey: 'phonenumber', identifierValue: '+491709999999' }] }, ...body };
    const closed = await call('POST', `/channels/${whatsapp}/messages/preview`, stranger);
    expect(closed).toMatchObject({ status: 200, json: { sendable: false, conversationId: null, window: { open: false } } });
    expect(closed.json.problems[0].code).toBe('windowClosed');
    expect(closed.json.templates.length).toBeGreaterThan(0);
    const conversation = await customerWrites(whatsapp, '+491701234567', 'Hi');
    const open = await call('POST', `/conversations/${conversation.id}/messages/preview`, body);
    expect(open).toMatchObject({ status: 200, json: { sendable: true, problems: [], window: { open: true } } });
    expect((await call('GET', `/conversations/${conversation.id}/messages`)).json.results).toHaveLength(1);
  });

  it('counts the parts of an SMS', async () => {
    const sms = await connect('twilio.sms', { phone_number: '+15005550006' });
    const conversation = await customerWrites(sms, '+15005550010', 'Hi');
    const preview = await call('POST', `/conversations/${conversation.id}/messages/preview`, {
      body: { type: 'text', text: { text: 'x'.repeat(161) } },
    });
    expect(preview.json.estimate).toMatchObject({ parts: 2, encoding: 'GSM-7' });
  });
});

describe('reactions', () => {
  it('go to the provider and stay on the message; none where the source has none', async () => {
    const conversation = await customerWrites(whatsapp, '+491701234568', 'Thanks!');
    const [message] = (await call('GET', `/conversations/${conversation.id}/messages`)).json.results;
    const reacted = await call('POST', `/messages/${message.id}/reactions`, { emoji: '👍' });
    expect(reacted).toMatchObject({ status: 200, json: { ownReaction: { emoji: '👍' }, reaction: null } });
    expect((await call('POST', `/messages/${message.id}/reactions`, { emoji: null })).json.ownReaction).toBeNull();
    const chat = await connect('chatplugin', { name: 'no-reactions' });
    const other = await customerWrites(chat, 'bob', 'Hello');
    const [written] = (await call('GET', `/conversations/${other.id}/messages`)).json.results;
    expect((await call('POST', `/messages/${written.id}/reactions`, { emoji: '👍' })).status).toBe(422);
  });
});

describe('saved replies', () => {
  it('are kept by title, found, filled in and deleted', async () => {
    const make = (title: string, body: string) => call('POST', '/saved-replies', { title, body, category: 'Support' });
    const made = await make('Greeting', 'Hello {{contact_first_name}}, about {{order}}: {{agent_name}}');
    expect(made).toMatchObject({ status: 201, json: { variables: ['contact_first_name', 'order', 'agent_name'] } });
    await make('another', '100% sure_');
    const first = await call('GET', '/saved-replies?limit=1');
    expect(first.json.results[0].title).toBe('another');
    const rest = await call('GET', `/saved-replies?pageToken=${first.json.nextPageToken}`);
    expect(rest.json.results.map((row: { title: string }) => row.title)).toEqual(['Greeting']);
    expect((await call('GET', '/saved-replies?search=100%25')).json.results).toHaveLength(1);
    const conversation = await customerWrites(whatsapp, '+491701234569', 'Hi');
    const rendered = await call('POST', `/saved-replies/${made.json.id}/render`, { conversationId: conversation.id });
    expect(rendered.json).toEqual({ text: 'Hello Ann, about {{order}}: Test', unresolved: ['order'] });
    expect((await call('PATCH', `/saved-replies/${made.json.id}`, { body: 'Bye' })).json).toMatchObject({ body: 'Bye', variables: [] });
    expect((await call('DELETE', `/saved-replies/${made.json.id}`)).status).toBe(204);
    expect((await call('GET', `/saved-replies/${made.json.id}`)).status).toBe(404);
  });
});

describe('opt-outs and reach', () => {
  it('are listed, keep messages back, and are taken away', async () => {
    const sms = await connect('twilio.sms', { phone_number: '+15005550009' });
    const value = '+15005550011';
    const consent = {
      workspaceId: t.workspaceId,
      channelId: sms,
      kind: 'phonenumber',
      value,
      wants: false,
      keyword: 'STOP',
      by: 'contact' as const,
      at: new Date(),
    };
    await setConsent(t.engine.database, consent);
    expect((await call('GET', `/channels/${sms}/opt-outs`)).json.results).toMatchObject([{ identifierValue: value, keyword: 'STOP' }]);
    const reach = `/channels/${sms}/reach?identifierValue=${encodeURIComponent(value)}`;
    expect((await call('GET', reach)).json).toMatchObject({ reachable: null, optedOut: true });
    expect((await call('DELETE', `/channels/${sms}/opt-outs/${encodeURIComponent(value)}`)).status).toBe(204);
    expect((await call('GET', `/channels/${sms}/opt-outs`)).json.results).toEqual([]);
    expect((await call('GET', reach)).json.optedOut).toBe(false);
  });
});

it('a new token is tried, and keeps the channel', async () => {
  const channelId = await connect('whatsapp', { phone_number_id: '4009', business_account_id: '5009', user_token: 'first' });
  const refused = await call('PATCH', `/channels/${channelId}`, { credentials: { user_token: 'expired' } });
  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect((await call('PATCH', `/channels/${channelId}`, { credentials: { user_token: 'second' } })).json).toMatchObject({
    id: channelId,
    status: 'active',
  });
});
