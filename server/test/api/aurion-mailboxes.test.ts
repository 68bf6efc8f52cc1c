import { beforeAll, describe, expect, it } from 'vitest';
import { type Caller, type TestApi, testApi } from '../support/api.ts';

let api: TestApi;
let caller: Caller;

beforeAll(async () => {
  api = await testApi({ MICROSOFT_LOGIN_URL: 'http://127.0.0.1:9' });
});

const MICROSOFT = { provider: 'microsoft', provider_config: { client_id: 'app', tenant_id: 'tenant' } };
const mailboxes = (method: string, path = '', body?: unknown) => caller.call(method, `/api/v2/email/channels${path}`, body);
const add = async (email: string, more: object = { provider: 'aurion' }) =>
  (await mailboxes('POST', '', { name: 'Desk', email, ...more })).body;
const primary = async () =>
  (await mailboxes('GET')).body.data.filter((one: { is_primary: boolean }) => one.is_primary).map((one: { email: string }) => one.email);
const remove = async (id: string) => (await mailboxes('DELETE', `/${id}`)).status;

describe('the primary mailbox', () => {
  it('is the first one that works, and the only one there is', async () => {
    caller = await api.caller();
    const waiting = await add('waiting@m.example', MICROSOFT);
    expect([waiting.status, await primary(), await remove(waiting.id)]).toEqual(['pending', ['waiting@m.example'], 409]);
    const works = await add('works@m.example');
    expect(works.is_primary).toBe(true);
    await add('later@m.example');
    expect(await primary()).toEqual(['works@m.example']);
    expect([await remove(works.id), await remove(waiting.id), await remove(waiting.id)]).toEqual([409, 204, 404]);
  });

  it('is moved by PATCH, once', async () => {
    caller = await api.caller();
    const first = await add('a@move.example');
    const second = await add('b@move.example');
    const moved = await mailboxes('PATCH', `/${second.id}`, { is_primary: true });
    expect([moved.status, moved.body.is_primary, await primary()]).toEqual([200, true, ['b@move.example']]);
    expect([await remove(second.id), await remove(first.id)]).toEqual([409, 204]);
    expect((await mailboxes('PATCH', `/${second.id}`, { is_primary: false })).body.details[0].field).toBe('is_primary');
  });

  it('is one that another surface made, too', async () => {
    caller = await api.caller();
    await caller.call('POST', `/workspaces/${caller.workspaceId}/channels`, {
      source: 'email',
      input: { email: 'ws@both.example', provider: 'aurion' },
    });
    expect((await add('own@both.example')).is_primary).toBe(false);
    expect(await primary()).toEqual(['ws@both.example']);
  });
});

describe('PATCH of a mailbox', () => {
  it('switches it off and on; one that nobody consented to waits again', async () => {
    caller = await api.caller();
    const { id } = await add('ms@off.example', MICROSOFT);
    const path = `/${id}`;
    const off = await mailboxes('PATCH', path, { status: 'inactive' });
    expect(off.body).toMatchObject({ status: 'inactive', status_reason: 'switched off' });
    // New settings do not switch it on.
    const configured = await mailboxes('PATCH', path, { provider_config: { client_id: 'other' } });
    expect([configured.status, configured.body.status]).toEqual([200, 'inactive']);
    expect((await mailboxes('PATCH', path, { status: 'active' })).body.status).toBe('pending');
    const settings = (await api.engine.channels.list(caller.workspaceId, { sources: ['email'] }))[0]!.settings;
    expect(settings).toMatchObject({ provider: 'microsoft', client_id: 'other', tenant_id: 'tenant' });
  });

  it('takes what is given as it is', async () => {
    caller = await api.caller();
    const mailbox = await add('strict@x.example', { provider: 'aurion', provider_config: null });
    for (const [change, field] of [
      [{ name: null }, 'name'],
      [{ name: 5 }, 'name'],
      [{ name: ' ' }, 'name'],
      [{ status: null }, 'status'],
      [{ status: 'pending' }, 'status'],
      [{ email: 'other@x.example' }, 'email'],
      [{ provider: 'smtp' }, 'provider'],
      [{ provider_config: [] }, 'provider_config'],
    ] as const) {
      const answer = await mailboxes('PATCH', `/${mailbox.id}`, change);
      expect([answer.status, answer.body.details], JSON.stringify(change)).toEqual([422, [{ field, message: expect.any(String) }]]);
    }
    for (const object of [mailbox, await add('second@x.example')]) {
      const { email } = object;
      const whole = await mailboxes('PATCH', `/${object.id}`, { ...object, unknown: 1, email: email.toUpperCase(), name: 'Whole' });
      expect(whole.body).toEqual({ ...object, name: 'Whole' });
    }
  });

  it('names everything that is wrong with a new one at once', async () => {
    caller = await api.caller();
    const answer = await mailboxes('POST', '', { email: 'a@x.example', provider: 'yahoo' });
    expect(answer.body.details).toEqual([
      { field: 'name', message: 'is required' },
      { field: 'provider', message: 'must be one of aurion, microsoft, google, smtp' },
    ]);
    const google = await mailboxes('POST', '', { name: 'G', email: 'a@x.example', provider: 'google' });
    expect([google.status, google.body.details[0].field]).toEqual([422, 'provider_config']);
    expect((await mailboxes('GET')).body.total).toBe(0);
  });
});
