import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, expect, it } from 'vitest';
import { birdSignature, workspaceHeaders } from '../../src/api/workspaces/webhook-signature.ts';
import { simulateCustomer } from '../../src/engine/sandbox-customers.ts';
import { Webhooks } from '../../src/engine/webhooks.ts';
import type { ChannelRow } from '../../src/store/channels.ts';
import { testApi } from '../support/api.ts';
import { until } from '../support/until.ts';

const api = await testApi({ META_GRAPH_URL: 'http://127.0.0.1:9' });
const { engine, workspaceId } = api;
const base = `/workspaces/${workspaceId}/webhook-subscriptions`;
const channel: ChannelRow = await engine.channels.connect({
  workspaceId,
  source: 'whatsapp',
  input: { phone_number_id: '77', business_account_id: '78', user_token: 'any' },
  sandbox: true,
  existing: 'reuse',
});

interface Call {
  headers: IncomingHttpHeaders;
  body: string;
  json: any;
}

/** A subscriber; `answer` says with what status, and may take its time. */
async function receiver(answer: (call: Call, n: number) => number | Promise<number> = () => 200) {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const call = { headers: request.headers, body, json: JSON.parse(body) };
    calls.push(call);
    const status = await answer(call, calls.length);
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return { calls, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

const say = (from: string, text: string) => simulateCustomer(engine, channel, { from, message: { type: 'text', text } });
const texts = (calls: Call[], from?: string) =>
  calls.flatMap(({ json }) => (!from || json.payload.sender.contact.identifierValue === from ? [json.payload.body.text.text] : []));
const overdue = (id: string) =>
  engine.database.query(`update webhook_deliveries set run_at = now() where subscription_id = $1 and run_at is not null`, [id]);
async function subscribe(url: string, more: object = {}): Promise<any> {
  const made = await api.call('POST', base, { service: 'channels', event: 'whatsapp.inbound', url, ...more });
  expect(made.status, made.text).toBe(201);
  return made.body;
}

it('signs as Bird’s and the Standard Webhooks’ published vectors', () => {
  const body = '{"service":"channels","event":"sms.outbound","payload":{"id":"123e4567-e89b-12d3-a456-426614174000","status":"delivered"}}';
  expect(birdSignature('secureSigningKey', '1732179372', 'https://example.com/webhook', body)).toBe(
    'kBLlFP9HV4eK8kF7CxhxsxRyHVDuiOqAI3pxAvSMmTc=',
  );
  const headers = workspaceHeaders({
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    at: new Date(1614265330_000),
    url: 'https://example.com',
    body: '{"test": 2432232314}',
    signingKey: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    headers: {},
  });
  expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

it('posts each event once, in the order of its conversation, signed; retries keep the id and the order', async () => {
  const failing = new Set(['a2']);
  const { calls, url } = await receiver(({ json }) => (failing.has(json.payload.body.text.text) ? 500 : 200));
  const { id, signingKey } = await subscribe(url);
  for (const text of ['a1', 'a2', 'a3']) await say('+4917010', text);
  for (const text of ['b1', 'b2']) await say('+4917011', text);
  await until(() => texts(calls).includes('b2') && texts(calls).includes('a2'));
  expect(texts(calls)).not.toContain('a3');
  const pending = await until(async () => {
    const { body } = await api.call('GET', `${base}/${id}/logs?executionStatus=pending`);
    return body.results.find((item: any) => item.httpStatusCode === 500 && item.attemptCount === 1);
  });
  failing.clear();
  await overdue(id);
  await until(() => texts(calls).includes('a3'));
  expect(texts(calls, '+4917010')).toEqual(['a1', 'a2', 'a2', 'a3']);
  expect(texts(calls, '+4917011')).toEqual(['b1', 'b2']);
  const [first, second] = calls.filter(({ json }) => json.payload.body.text.text === 'a2');
  expect(first!.headers['webhook-id']).toBe(second!.headers['webhook-id']);
  expect(second!.body).toBe(first!.body);
  for (const { headers, body } of calls) {
    new Webhook(signingKey).verify(body, headers as Record<string, string>);
    expect(headers['messagebird-signature']).toBe(birdSignature(signingKey, headers['messagebird-request-timestamp'] as string, url, body));
  }
  const details = await until(async () => {
    const { body } = await api.call('GET', `${base}/${id}/logs/details?requestId=${pending.requestId}`);
    return body.executionStatus === 'succeeded' && body;
  });
  expect(details.attempts.map((item: any) => item.httpStatusCode)).toEqual([500, 200]);
  const replay = await api.call('POST', `${base}/${id}/replay`, { requestId: pending.requestId });
  expect([replay.status, replay.body]).toEqual([202, { replayed: 1 }]);
  await until(() => texts(calls).filter((text) => text === 'a2').length === 3);
  await api.call('DELETE', `${base}/${id}`);
});

it('a subscriber that does not answer holds up no other; 410 and redirects are no success', async () => {
  const dead = await receiver(() => new Promise<number>(() => undefined));
  const gone = await receiver(() => 410);
  const moved = await receiver(() => 302);
  const well = await receiver();
  const all = await Promise.all([dead, gone, moved, well].map(({ url }) => subscribe(url, { event: 'whatsapp.inbound' })));
  for (let n = 0; n < 10; n++) await say(`+49170200${n}`, `n${n}`);
  await until(() => well.calls.length === 10);
  expect(dead.calls.length).toBeLessThanOrEqual(4);
  await until(async () => (await api.call('GET', `${base}/${all[1].id}`)).body.status === 'disabled');
  const logs = await until(async () => {
    const { body } = await api.call('GET', `${base}/${all[2].id}/logs?limit=100`);
    return body.results.some((item: any) => item.httpStatusCode === 302) && body;
  });
  expect(logs.results.every((item: any) => item.executionStatus === 'pending')).toBe(true);
  for (const { id } of all) await api.call('DELETE', `${base}/${id}`);
});

it('what happened while nobody posted is posted later; days of failure disable', async () => {
  let status = 200;
  const { calls, url } = await receiver(() => status);
  const { id } = await subscribe(url);
  await engine.webhooks.stop();
  await say('+49170300', 'while away');
  expect(calls).toHaveLength(0);
  engine.webhooks.start();
  await until(() => texts(calls).includes('while away'));
  status = 503;
  await say('+49170301', 'never');
  for (let attempts = 1; attempts <= 10; attempts++) {
    await until(() => calls.length === 1 + attempts);
    await until(async () => {
      const { rows } = await engine.database.query(
        `select 1 from webhook_deliveries where subscription_id = $1 and state <> 'succeeded' and attempts = $2 and leased_until is null`,
        [id, attempts],
      );
      return rows.length === 1;
    });
    await overdue(id);
    engine.webhooks.wake();
  }
  await until(async () => (await api.call('GET', `${base}/${id}`)).body.status === 'disabled');
  status = 200;
  await api.call('PATCH', `${base}/${id}`, { status: 'active' });
  expect((await api.call('POST', `${base}/${id}/replay`, {})).body).toEqual({ replayed: 1 });
  await until(() => calls.length === 12);
  await api.call('DELETE', `${base}/${id}`);
});

it('a process that dies between two steps leaves the event for another one', async () => {
  const { calls, url } = await receiver();
  const { id } = await subscribe(url);
  await engine.webhooks.stop();
  const crashing = new Webhooks({ ...engine, http: () => new Promise(() => undefined) });
  crashing.speak('workspaces', {
    speak: async (_, events) => events.map(({ seq }) => ({ seq, event: 'x', lane: workspaceId, body: '{}' })),
    headers: () => ({}),
  });
  crashing.start();
  await say('+49170400', 'under way');
  await until(async () => {
    const { rows } = await engine.database.query('select 1 from webhook_deliveries where subscription_id = $1 and leased_until > now()', [
      id,
    ]);
    return rows.length > 0;
  });
  await crashing.stop();
  await engine.database.query(`update webhook_deliveries set leased_until = now() - interval '1 second' where subscription_id = $1`, [id]);
  engine.webhooks.start();
  await until(() => calls.length > 0);
  await api.call('DELETE', `${base}/${id}`);
});

it('private addresses, other workspaces and unknown words are refused', async () => {
  const guarded = new Webhooks({ ...engine, config: { ...engine.config, allowPrivateNetwork: false } });
  const row = { workspaceId, surface: 'airy' as const, name: null, service: null, events: [], filters: [], sandbox: false };
  for (const url of ['http://127.0.0.1:1/x', 'https://[::1]/', 'http://169.254.169.254/latest', 'ftp://example.com', 'nonsense'])
    await expect(guarded.subscribe({ ...row, url, secrets: { headers: {} } })).rejects.toMatchObject({ code: 'invalid' });
  const { url } = await receiver();
  const { id } = await subscribe(url);
  const other = await api.caller();
  const theirs = `/workspaces/${other.workspaceId}/webhook-subscriptions`;
  for (const [method, path, body] of [
    ['GET', ''],
    ['PATCH', '', { status: 'inactive' }],
    ['DELETE', ''],
    ['GET', '/logs'],
    ['POST', '/replay', {}],
    ['POST', '/test'],
  ] as const)
    expect((await other.call(method, `${theirs}/${id}${path}`, body)).status, `${method} ${path}`).toBe(404);
  expect((await other.call('GET', theirs)).body.results).toEqual([]);
  expect((await other.call('POST', '/webhooks.info', { id })).status).toBe(404);
  expect((await api.call('POST', base, { service: 'channels', event: 'nothing', url })).status).toBe(422);
  await api.call('DELETE', `${base}/${id}`);
});

it('speaks Airy: shapes, signature, own headers; an update keeps what it does not name', async () => {
  const { calls, url } = await receiver();
  const made = await api.call('POST', '/webhooks.subscribe', {
    url,
    events: ['message.created', 'conversation.updated'],
    headers: { 'X-Own': 'yes' },
    signature_key: 'secret',
  });
  expect(made.body).toMatchObject({ status: 'Subscribed', url, headers: { 'X-Own': 'yes' } });
  expect(made.text).not.toContain('secret');
  await say('+49170500', 'Hello Airy');
  await until(
    () => calls.some(({ json }) => json.type === 'conversation.updated') && calls.some(({ json }) => json.type === 'message.created'),
  );
  const message = calls.find(({ json }) => json.type === 'message.created')!;
  expect(message.json).toMatchObject({ payload: { channel_id: channel.id, message: { from_contact: true, metadata: null } } });
  expect(message.headers).toMatchObject({
    'user-agent': 'Airy/1.0',
    'x-own': 'yes',
    'x-airy-content-signature': createHmac('sha256', 'secret').update(message.body).digest('hex'),
  });
  expect(calls.find(({ json }) => json.type === 'conversation.updated')!.json.payload).toMatchObject({ channel_id: channel.id });
  const { id } = made.body;
  const updated = await api.call('POST', '/webhooks.update', { id, name: 'Named' });
  expect(updated.body).toMatchObject({ name: 'Named', events: ['message.created', 'conversation.updated'], headers: { 'X-Own': 'yes' } });
  expect((await api.call('POST', '/webhooks.unsubscribe', { id })).body.status).toBe('Unsubscribed');
  expect((await api.call('POST', '/webhooks.list', {})).body.data).toHaveLength(1);

  const again = await api.call('POST', '/webhooks.subscribe', { url, id: id.toUpperCase(), events: ['tag.updated'] });
  expect([again.status, again.body]).toEqual([200, { id, name: null, status: 'Subscribed', url, headers: {}, events: ['tag.updated'] }]);
  expect((await api.call('POST', '/webhooks.list', {})).body.data).toEqual([again.body]);
  const { id: birds } = await subscribe(url);
  expect((await api.call('POST', '/webhooks.subscribe', { url, id: birds })).status).toBe(409);
  await api.call('DELETE', `${base}/${birds}`);
  await api.call('POST', '/webhooks.unsubscribe', { id });
});

it('speaks Aurion, and knows both paths of the workspace surface', async () => {
  const { calls, url } = await receiver();
  const made = await api.call('POST', '/api/v1/webhooks', { url, events: ['conversation.reply', 'ticket.created'], secret: 'shh' });
  expect([made.status, made.body]).toEqual([201, expect.objectContaining({ id: expect.stringMatching(/^wh_/), active: true, url })]);
  await say('+49170600', 'Hello Aurion');
  const call = await until(() => calls[0]);
  expect(call.json).toMatchObject({
    id: expect.stringMatching(/^evt_/),
    type: 'conversation.reply',
    data: { message: { body: 'Hello Aurion' } },
  });
  expect(call.headers['x-aurion-signature']).toBe(`sha256=${createHmac('sha256', 'shh').update(call.body).digest('hex')}`);
  const own = await api.call('POST', '/api/v1/webhooks', { url, events: ['conversation.assigned', 'conversation.resolved'] });
  const { secret, ...shown } = own.body;
  expect([own.status, secret]).toEqual([201, expect.stringMatching(/^[0-9a-f]{64}$/)]);
  expect((await api.call('GET', `/api/v1/webhooks/${own.body.id}`)).body).toEqual(shown);
  const { conversation_id } = call.json.data;
  for (const change of [{ assigned_agent_id: 'agent-1' }, { priority: 'high', unknown: 1 }, { status: 'resolved' }]) {
    expect((await api.call('PATCH', `/api/v2/conversations/${conversation_id}`, change)).status).toBe(200);
  }
  const told = await until(() => {
    const theirs = calls.filter(({ json }) => json.type !== 'conversation.reply');
    return theirs.length === 2 ? theirs : undefined;
  });
  expect(told.map(({ json }) => [json.type, json.data.conversation_id])).toEqual([
    ['conversation.assigned', conversation_id],
    ['conversation.resolved', conversation_id],
  ]);
  expect(told[0]!.headers['x-aurion-signature']).toBe(`sha256=${createHmac('sha256', secret).update(told[0]!.body).digest('hex')}`);
  expect((await api.call('DELETE', `/api/v1/webhooks/${own.body.id}`)).status).toBe(204);
  const unknown = await api.call('POST', '/api/v1/webhooks', { url, events: ['nothing.here'], secret: 'shh' });
  expect([unknown.status, unknown.body.message]).toEqual([400, 'Invalid event type: nothing.here']);
  const reader = await api.caller({ workspaceId, scopes: ['channels:write'] });
  expect((await reader.call('GET', '/api/v1/webhooks')).status).toBe(403);
  expect((await reader.call('GET', '/api/v1/calls')).status).toBe(404);
  expect((await (await api.caller()).call('DELETE', `/api/v1/webhooks/${made.body.id}`)).status).toBe(404);
  expect((await api.call('DELETE', `/api/v1/webhooks/${made.body.id}`)).status).toBe(204);

  const { id } = await subscribe(url);
  expect((await api.call('GET', `/organizations/${workspaceId}${base}/${id}`)).body.id).toBe(id);
  expect((await api.call('GET', `/organizations/${id}${base}/${id}`)).status).toBe(404);
  expect((await api.call('POST', `/organizations/${workspaceId}${base}/${id}/test`)).status).toBe(202);
  await until(() => calls.some(({ json }) => json.payload?.test));
  await api.call('DELETE', `${base}/${id}`);
});
