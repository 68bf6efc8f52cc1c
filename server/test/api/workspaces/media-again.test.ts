import { afterAll, expect, it } from 'vitest';
import { createMetaSandbox } from '../../../../sandbox/meta/index.ts';
import { type TestApi, testApi } from '../../support/api.ts';
import { until } from '../../support/until.ts';

const NUMBER = '106540352242922';
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

let api: TestApi | undefined;
const meta = createMetaSandbox({
  appSecret: 'app-secret',
  tokens: [{ value: 'token' }],
  wabas: [{ id: '102290129340398', numbers: [{ id: NUMBER }] }],
  webhook: async ({ headers, body }) => (await api!.app.inject({ method: 'POST', url: '/hooks/meta', headers, payload: body })).statusCode,
});
afterAll(() => meta.app.close());

it('shows why a file is not here, and fetches it again for those who may see it', async () => {
  const graph = await meta.app.listen({ port: 0, host: '127.0.0.1' });
  api = await testApi({ META_GRAPH_URL: graph, META_APP_SECRET: 'app-secret' });
  const { call, workspaceId } = api;
  const of = (path: string) => `/workspaces/${workspaceId}${path}`;
  const input = { phone_number_id: NUMBER, business_account_id: '102290129340398', user_token: 'token' };
  const channel = await call('POST', of('/channels'), { source: 'whatsapp', input });
  expect(channel.status).toBe(201);

  const customer = meta.whatsappCustomer(NUMBER, { phone: '491701234567', name: 'Ada' });
  const gone = meta.state.store(PNG, 'image/png');
  meta.state.media.delete(gone.id);
  customer.write({ type: 'image', image: { id: gone.id, mime_type: 'image/png' } });
  const message = async () => {
    const conversations = await call('GET', of('/conversations'));
    const messages = await call('GET', of(`/conversations/${conversations.body.results[0].id}/messages`));
    return messages.body.results[0];
  };
  const shown = await until(async () => {
    const found = await message();
    return found.content.media.state === 'failed' && found;
  });
  expect(shown.content.media).toMatchObject({ problem: expect.stringMatching(/\w/) });

  const { id } = shown.content.media;
  const stranger = await api.caller();
  expect((await stranger.call('POST', `/workspaces/${stranger.workspaceId}/media/${id}/fetch`, {})).status).toBe(404);
  const reader = await api.caller({ workspaceId, scopes: ['messages:read'] });
  expect((await reader.call('POST', of(`/media/${id}/fetch`), {})).status).toBe(403);

  meta.state.media.set(gone.id, gone);
  expect(await call('POST', of(`/media/${id}/fetch`), {})).toMatchObject({ status: 202, body: { id, state: 'waiting' } });
  const fetched = await until(async () => {
    const { media } = (await message()).content;
    return media.state === undefined && media;
  });
  expect(fetched).toEqual({ id, url: expect.any(String), mimeType: 'image/png', size: PNG.length, sha256: fetched.sha256 });
  const { pathname, search } = new URL(fetched.url);
  expect((await api.app.inject({ url: pathname + search })).rawPayload).toEqual(PNG);
  expect((await call('POST', of(`/media/${id}/fetch`), {})).status).toBe(409);
});
