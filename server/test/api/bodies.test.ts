import { beforeAll, describe, expect, it } from 'vitest';
import { type TestApi, testApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});

const JSON_TYPE = { 'content-type': 'application/json' };

describe('a body that is not there', () => {
  it('is no body where it says that it is JSON, on every surface', async () => {
    const integration = await api.call('POST', '/api/integrations', { name: 'Mail', type: 'email' });
    const domain = await api.call('POST', '/api/email-domains', { domain: 'empty.example', verified: true });
    const reply = await api.call('POST', '/api/v2/saved-replies', { title: 'Hello', body: 'Hello' });
    const widget = await api.call('POST', `/workspaces/${api.workspaceId}/channels`, { source: 'chatplugin', input: { name: 'empty' } });
    const answers = await Promise.all([
      api.call('PUT', `/api/integrations/${integration.body.id}`, undefined, JSON_TYPE),
      api.call('POST', `/api/v2/saved-replies/${reply.body.id}/render`, undefined, JSON_TYPE),
      api.call('POST', `/api/v2/saved-replies/${reply.body.id}/render`),
      api.call('POST', `/workspaces/${api.workspaceId}/channels/${widget.body.id}/health`, undefined, JSON_TYPE),
      api.call('POST', '/channels.list', undefined, { ...JSON_TYPE, authorization: `Bearer ${api.key}` }),
      api.call('DELETE', `/api/email-domains/${domain.body.id}`, undefined, JSON_TYPE),
    ]);
    for (const answer of answers) expect(answer.status, answer.text).toBeLessThan(300);
  });

  it('reaches what takes none at all', async () => {
    const sync = await api.call('POST', '/api/v2/whatsapp/channels/wac_0/templates/sync', undefined, JSON_TYPE);
    expect(sync.status).toBe(404);
    const verify = await api.call('POST', '/api/email-domains/none/verify', undefined, JSON_TYPE);
    expect(verify.status).toBe(404);
  });

  it('misses its first field where one must be given', async () => {
    const aurion = await api.call('POST', '/api/v2/saved-replies', undefined, JSON_TYPE);
    expect(aurion.body).toMatchObject({ error: 'validation_error', message: 'title is required' });
    const votel = await api.call('POST', '/api/email-domains', undefined, JSON_TYPE);
    expect(votel.body).toEqual({ detail: [{ loc: ['body', 'domain'], msg: 'Field required', type: 'missing' }] });
  });
});

describe('Idempotency-Key on the Votel surface', () => {
  it('gives the first answer again, and refuses another payload as FastAPI refuses', async () => {
    const headers = { 'idempotency-key': 'votel-1' };
    const first = await api.call('POST', '/api/email-domains', { domain: 'once.example' }, headers);
    const again = await api.call('POST', '/api/email-domains', { domain: 'once.example' }, headers);
    expect(first.status, first.text).toBe(201);
    expect(again).toMatchObject({ status: 201, text: first.text, headers: { 'idempotent-replayed': 'true' } });
    const other = await api.call('POST', '/api/email-domains', { domain: 'twice.example' }, headers);
    expect(other.status).toBe(422);
    expect(other.body).toEqual({
      detail: [{ loc: ['header', 'idempotency-key'], msg: expect.stringContaining('another request'), type: 'value_error' }],
    });
  });

  it('lets one of several at once through and answers 409 to those that come meanwhile', async () => {
    const headers = { 'idempotency-key': 'votel-2' };
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => api.call('POST', '/api/integrations', { name: 'At once', type: 'email' }, headers)),
    );
    const made = answers.filter((answer) => answer.status === 201);
    expect(new Set(made.map((answer) => answer.body.id)).size).toBe(1);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expect(answer).toMatchObject({ status: 409, body: { detail: expect.stringContaining('still running') } });
    }
  });
});
