/** What the maker of document 003 has beside it: connectors, batches, addresses of contacts, opening conversations. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestApp, testApp, visitorWrites } from '../support.ts';

let t: TestApp;
let key: string;
beforeAll(async () => {
  t = await testApp();
  key = await t.makeKey(['*'], { sandbox: true });
});

const UNKNOWN = '018f6b1e-7c1a-7d20-9c3b-5a4f1f0e9a11';

describe('connectors', () => {
  it('make, show, change and delete a channel', async () => {
    const made = await t.call('POST', '/connectors', {
      body: {
        name: 'Website',
        connectorTemplateRef: 'chatplugin:1',
        arguments: { name: 'by-connector', channelMessageType: 'transactional' },
      },
    });
    expect(made.status).toBe(201);
    expect(made.json).toEqual({
      id: expect.any(String),
      workspaceId: t.workspaceId,
      routingKey: 'by-connector',
      name: 'Website',
      region: null,
      description: expect.any(String),
      status: 'active',
      arguments: expect.any(Object),
      channel: { channelId: expect.any(String), platform: 'chatplugin' },
      connectorTemplateSlug: 'chatplugin',
      connectorTemplateRef: 'chatplugin:1',
      createdAt: expect.stringMatching(/\.\d{3}Z$/),
      updatedAt: expect.stringMatching(/\.\d{3}Z$/),
    });
    const { id, channel } = made.json;
    const path = `/connectors/${id}`;
    expect((await t.call('GET', `/channels/${channel.channelId}`)).json).toMatchObject({
      connectorId: id,
      channelMessageType: 'transactional',
    });
    expect((await t.call('GET', `/connectors/${id.toUpperCase()}`)).json).toEqual(made.json);
    const listed = async (query: string) => (await t.call('GET', `/connectors?${query}`)).json.results.map((row: { id: string }) => row.id);
    expect(await listed('templateRef=chatplugin:1')).toEqual([id]);
    expect(await listed('templateRef=whatsapp:1&templateRef=sms-messagebird:1')).toEqual([]);
    expect((await t.call('PATCH', path, { body: { name: 'Shop' } })).json).toMatchObject({ id, name: 'Shop' });
    const again = { name: 'Website', connectorTemplateRef: 'chatplugin:1', arguments: { name: 'by-connector' } };
    expect((await t.call('POST', '/connectors', { body: again })).status).toBe(409);
    expect((await t.call('DELETE', path)).status).toBe(204);
    expect((await t.call('GET', `/channels/${channel.channelId}`)).json.status).toBe('deleted');
    expect((await t.call('GET', path)).status).toBe(404);
    expect((await t.call('POST', '/connectors', { body: again })).json.id).toBe(id);
  });

  it('take their makers’ names of templates, and secrets apart', async () => {
    const body = {
      name: 'Number',
      connectorTemplateRef: 'whatsapp:1',
      arguments: { phone_number_id: '555000222' },
      securityArguments: { user_token: 'a-very-secret-token' },
    };
    const made = await t.call('POST', '/connectors', { key, body });
    expect([made.status, made.json.channel.platform]).toEqual([201, 'whatsapp']);
    expect(made.text).not.toContain('a-very-secret-token');
    expect((await t.call('GET', `/connectors/${made.json.id}`, { key: await t.makeKey(['*'], { sandbox: true }) })).status).toBe(200);
  });

  it.each([
    [{ connectorTemplateRef: 'chatplugin:1' }, 'name'],
    [{ name: 'x', connectorTemplateRef: 'pigeon:1' }, 'source'],
    [{ name: 'x', connectorTemplateRef: 'chatplugin:1', arguments: {} }, 'input.name'],
    [{ name: 'x', connectorTemplateRef: 'chatplugin:1', arguments: { channelMessageType: 'loud' } }, 'arguments.channelMessageType'],
  ])('refuse %j and name %s', async (body, field) => {
    const answer = await t.call('POST', '/connectors', { body });
    expect([answer.status, Object.keys(answer.json.details)]).toEqual([422, [field]]);
  });
});

describe('a batch', () => {
  const message = (text: string) => ({
    receiver: { contacts: [{ identifierKey: 'phonenumber', identifierValue: '+4915112345678' }] },
    body: { type: 'text', text: { text } },
  });

  it('has a result for each of its messages, and makes them once', async () => {
    const channel = (
      await t.call('POST', '/channels', { key, body: { source: 'twilio.sms', name: 'SMS', input: { phone_number: '+4915123450001' } } })
    ).json;
    const path = `/channels/${channel.id}/batch/messages`;
    const messageRequests = [message('one'), { ...message('two'), receiver: {} }, message('three')];
    const options = { key, body: { messageRequests }, headers: { 'idempotency-key': 'batch-1' } };
    const sent = await t.call('POST', path, options);
    expect([sent.status, sent.json]).toEqual([
      202,
      {
        id: expect.any(String),
        results: [
          { id: expect.any(String) },
          { error: { code: 'validationError', message: expect.any(String), details: { 'receiver.contacts': ['is required'] } } },
          { id: expect.any(String) },
        ],
      },
    ]);
    expect((await t.call('POST', path, options)).json).toEqual(sent.json);
    const { results } = (await t.call('GET', `/channels/${channel.id}/messages`, { key })).json;
    expect(results.map((row: { id: string }) => row.id)).toEqual([sent.json.results[2].id, sent.json.results[0].id]);
  });

  it('has 1 to 100 messages', async () => {
    const { id } = (await t.call('POST', '/channels', { body: { source: 'chatplugin', input: { name: 'batch' } } })).json;
    for (const messageRequests of [[], Array.from({ length: 101 }, () => message('x'))]) {
      const answer = await t.call('POST', `/channels/${id}/batch/messages`, { body: { messageRequests } });
      expect([answer.status, Object.keys(answer.json.details)]).toEqual([422, ['messageRequests']]);
    }
  });
});

describe('contacts by their addresses', () => {
  const path = '/contacts/identifiers/phonenumber/+4915100000001';

  it('are made the first time and changed the next', async () => {
    const made = await t.call('PATCH', path, { body: { displayName: 'Ann', attributes: { city: 'Oslo' } } });
    expect([made.status, made.json]).toMatchObject([
      201,
      { computedDisplayName: 'Ann', featuredIdentifiers: [{ key: 'phonenumber', value: '+4915100000001' }] },
    ]);
    const changed = await t.call('PATCH', path, {
      body: { attributes: { title: 'Dr.' }, addIdentifiers: [{ key: 'emailaddress', value: 'Ann@Example.org' }] },
    });
    expect([changed.status, changed.json]).toMatchObject([200, { id: made.json.id, attributes: { city: 'Oslo', title: 'Dr.' } }]);
    expect((await t.call('PATCH', '/contacts/identifiers/emailaddress/ann@example.org', { body: {} })).json.id).toBe(made.json.id);
    const wrong = await t.call('PATCH', '/contacts/identifiers/phonenumber/hello', { body: {} });
    expect([wrong.status, wrong.json.details]).toEqual([422, { identifierValue: [expect.stringContaining('phone number')] }]);
  });

  it('are one contact, however many ask at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => t.call('PATCH', '/contacts/identifiers/crm/4711', { body: { displayName: 'Bo' } })),
    );
    expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  });

  it('get another address, unless somebody else has it', async () => {
    const [one, other] = await Promise.all(['One', 'Other'].map((displayName) => t.call('POST', '/contacts', { body: { displayName } })));
    const add = (id: string, value: string) => t.call('POST', `/contacts/${id}/identifiers`, { body: { key: 'emailaddress', value } });
    const added = await add(one!.json.id, 'one@example.org');
    expect([added.status, added.json.featuredIdentifiers]).toEqual([201, [{ key: 'emailaddress', value: 'one@example.org' }]]);
    const taken = await add(other!.json.id, 'ONE@example.org');
    expect([taken.status, taken.json.details.value]).toEqual([409, ['belongs to another contact']]);
    expect((await add(other!.json.id, 'nobody')).json.details).toEqual({ value: ['is no mail address'] });
    expect((await add(UNKNOWN, 'x@example.org')).status).toBe(404);
  });
});

describe('a conversation', () => {
  it('is opened with its first message, or before there is one', async () => {
    const { id: channelId } = (
      await t.call('POST', '/channels', { key, body: { source: 'twilio.sms', name: 'SMS', input: { phone_number: '+4915123450002' } } })
    ).json;
    const participants = [{ type: 'user' }, { type: 'contact', identifierKey: 'phonenumber', identifierValue: '+4915100000002' }];
    const silent = await t.call('POST', '/conversations', { key, body: { channelId, participants, name: 'Order 12' } });
    expect([silent.status, silent.json]).toMatchObject([
      201,
      { channelId, name: 'Order 12', status: 'active', lastMessageAt: null, activeParticipantCount: 1 },
    ]);
    const initialMessage = { body: { type: 'text', text: { text: 'Hello' } } };
    const spoken = await t.call('POST', '/conversations', { key, body: { channelId, participants, initialMessage } });
    expect(spoken.json).toMatchObject({
      id: silent.json.id,
      name: 'Order 12',
      lastMessage: { direction: 'outgoing', body: initialMessage.body },
      featuredParticipants: [{ type: 'contact', contact: { identifierKey: 'phonenumber', identifierValue: '+4915100000002' } }],
    });
    const path = `/conversations/${spoken.json.id}`;
    expect((await t.call('GET', `${path}/participants`, { key })).json).toEqual({ results: spoken.json.featuredParticipants });
    const { lastMessage } = spoken.json;
    expect((await t.call('GET', `${path}/messages/${lastMessage.id}`, { key })).json.id).toBe(lastMessage.id);
    expect((await t.call('GET', `${path}/messages/${UNKNOWN}`, { key })).status).toBe(404);
    const other = { ...participants[1], identifierValue: '+4915100000003' };
    for (const [wanted, field] of [
      [[{ type: 'user' }], 'participants'],
      [[participants[1], other], 'participants'],
      [[{ type: 'contact', id: UNKNOWN }], 'participants.0.id'],
      [[{ type: 'contact' }], 'participants.0.identifierValue'],
    ] as const) {
      const answer = await t.call('POST', '/conversations', { key, body: { channelId, participants: wanted } });
      expect([answer.status, Object.keys(answer.json.details)]).toEqual([422, [field]]);
    }
  });

  it('is not opened where people must write first, and its messages are its own', async () => {
    const { id: channelId } = (await t.call('POST', '/channels', { body: { source: 'chatplugin', input: { name: 'openings' } } })).json;
    const participants = [{ type: 'contact', identifierKey: 'visitor', identifierValue: 'never-seen' }];
    expect((await t.call('POST', '/conversations', { body: { channelId, participants } })).json.code).toBe('notSupported');
    for (const visitor of ['ann', 'bob']) await visitorWrites(t.engine, 'openings', { visitor, text: `I am ${visitor}` });
    const { results } = (await t.call('GET', `/conversations?channelId=${channelId}`)).json;
    const [bobs, anns] = results;
    expect((await t.call('GET', `/conversations/${bobs.id}/messages/${anns.lastMessage.id}`)).status).toBe(404);
    expect(bobs.lastMessageIncomingAt).toBe(bobs.lastMessageAt);
  });
});
