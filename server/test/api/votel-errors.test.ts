import pino from 'pino';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type TestApi, testApi } from '../support/api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await testApi({ LOG_LEVEL: 'error' });
});

const missing = (field: string) => ({ loc: ['body', field], msg: 'Field required', type: 'missing' });
const create = (body: unknown, headers?: Record<string, string>) =>
  api.call('POST', '/api/channels', body === undefined ? undefined : JSON.stringify(body), {
    'content-type': 'application/json',
    ...headers,
  });

describe('422 as FastAPI writes it', () => {
  it.each([
    [{}, ['name', 'channel_type', 'integration_id']],
    [undefined, ['name', 'channel_type', 'integration_id']],
    [{ channel_type: 'email' }, ['name', 'integration_id', 'send_from_email', 'email_domain_id']],
    [{ channel_type: 'sms', name: null, phone_number_id: 'x' }, ['name', 'integration_id', 'send_from_phone_number']],
    [{ channel_type: 'email', name: 'x', integration_id: 'x', send_from_email: null }, ['send_from_email', 'email_domain_id']],
  ])('names all that is missing in %j, in order', async (body, fields) => {
    const answer = await create(body);
    expect([answer.status, answer.body]).toEqual([422, { detail: fields.map(missing) }]);
  });

  it.each(['__proto__', 'constructor', 7])('takes %j for no type of channel', async (type) => {
    const { status, body } = await create({ name: 'x', channel_type: type, integration_id: 'x' });
    expect([status, body.detail.map(({ loc }: { loc: string[] }) => loc.at(-1))]).toEqual([422, ['channel_type']]);
  });

  it('is the caller’s mistake, and no error in the log', async () => {
    const { log } = api.engine;
    const stream = (log as unknown as Record<symbol, { write(line: string): void }>)[pino.symbols.streamSym]!;
    const write = vi.spyOn(stream, 'write').mockImplementation(() => undefined);
    try {
      expect((await create({})).status).toBe(422);
      log.error('what is an error is written');
      expect(write.mock.calls.map(([line]) => JSON.parse(line).msg)).toEqual(['what is an error is written']);
    } finally {
      write.mockRestore();
    }
  });

  it('says of every wrong value what it should be', async () => {
    const body = { name: 5, channel_type: 'fax', integration_id: '', is_default: 'maybe', metadata: [], send_from_email: 'x'.repeat(321) };
    expect((await create(body)).body.detail).toEqual([
      { loc: ['body', 'name'], msg: 'Input should be a valid string', type: 'string_type' },
      { loc: ['body', 'channel_type'], msg: "Input should be 'email' or 'sms'", type: 'literal_error' },
      { loc: ['body', 'integration_id'], msg: 'String should have at least 1 character', type: 'string_too_short' },
      { loc: ['body', 'send_from_email'], msg: 'String should have at most 320 characters', type: 'string_too_long' },
      { loc: ['body', 'is_default'], msg: 'Input should be a valid boolean', type: 'bool_type' },
      { loc: ['body', 'metadata'], msg: 'Input should be a valid dictionary', type: 'dict_type' },
    ]);
    expect((await create([])).body.detail[0]).toMatchObject({ loc: ['body'], type: 'model_attributes_type' });
  });

  it('says where a body stops being JSON', async () => {
    const answer = await api.call('POST', '/api/channels', '{"name": "x",}', { 'content-type': 'application/json' });
    expect([answer.status, answer.body]).toEqual([
      422,
      { detail: [{ loc: ['body', expect.any(Number)], msg: 'JSON decode error', type: 'json_invalid' }] },
    ]);
  });

  it('names every wrong parameter of an address', async () => {
    const answer = await api.call('GET', '/api/channels?page=0&page_size=x&channel_type=fax&for_options=perhaps');
    expect(answer.body.detail.map(({ loc, type }: { loc: string[]; type: string }) => [...loc, type])).toEqual([
      ['query', 'page', 'greater_than_equal'],
      ['query', 'page_size', 'int_parsing'],
      ['query', 'channel_type', 'literal_error'],
      ['query', 'for_options', 'bool_parsing'],
    ]);
    for (const query of ['page_size=101', 'page_size=1.5', 'page=', 'page=-1']) {
      expect([query, (await api.call('GET', `/api/channels?${query}`)).status]).toEqual([query, 422]);
    }
  });
});

describe('what clients write differently', () => {
  it.each(['true', 'True', '1', 'yes', 'on'])('for_options=%s is yes', async (word) => {
    expect((await api.call('GET', `/api/channels?for_options=${word}`)).body).toEqual({ options: [] });
  });

  it('a page far behind the last one is empty', async () => {
    const answer = await api.call('GET', '/api/channels?page=99999999999');
    expect(answer.body).toEqual({ channels: [], total: 0, page: 99999999999, page_size: 20, total_pages: 0 });
  });

  it('401 says how to sign in', async () => {
    for (const [path, body] of [
      ['/api/channels', { detail: 'Invalid or missing API key' }],
      ['/api/v2/saved-replies', { error: 'unauthorized', message: 'Invalid or missing API key' }],
    ] as const) {
      const answer = await api.app.inject({ url: path, headers: { 'x-api-key': 'sk_wrong' } });
      expect([answer.statusCode, answer.headers['www-authenticate'], answer.json()]).toEqual([401, 'Bearer', body]);
    }
  });
});
