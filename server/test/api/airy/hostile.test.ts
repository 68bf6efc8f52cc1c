import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestApp, type TestWorkspace, testApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';

let app: TestApp;
let own: TestWorkspace;
let other: TestWorkspace;
const ids: Record<string, string> = {};
const routes = new Set<string>();

beforeAll(async () => {
  const nowhere = 'http://127.0.0.1:1';
  app = await testApp({ META_GRAPH_URL: nowhere, TWILIO_API_URL: nowhere, GOOGLE_OAUTH_URL: nowhere, GOOGLE_RCS_URL: nowhere });
  own = await app.workspace();
  other = await app.workspace();
  for (const route of app.routes) {
    const name = /^POST \/([\w-]+(?:\.[\w-]+)+)$/.exec(route)?.[1];
    if (name) routes.add(name);
  }
  const channel = (await other.call('channels.chatplugin.connect', { name: 'theirs' })).json;
  const { token } = (await app.post('chatplugin.authenticate', { channel_id: channel.id })).json;
  const message = (await app.post('chatplugin.send', { message: { text: 'private words' } }, { authorization: `Bearer ${token}` })).json;
  const contact = (await other.call('contacts.info', { conversation_id: message.sender.id })).json;
  // When a channel last heard something is noted a moment later; whatever changes after that is a stranger's doing.
  const noted = 'select 1 from channels where id = $1 and last_in_at is not null';
  await until(async () => (await app.engine.database.query(noted, [channel.id])).rowCount === 1);
  Object.assign(ids, {
    channel_id: channel.id,
    conversation_id: message.sender.id,
    message_id: message.id,
    contact_id: contact.id,
    tag_id: (await other.call('tags.create', { name: 'theirs', color: 'tag-red' })).json.id,
    template_id: (await other.call('templates.create', { name: 'theirs', source: 'chatplugin', content: {} })).json.id,
  });
});

/** 503 is for providers that cannot be reached, which none can here. */
const isFault = (name: string, status: number) => status >= 500 && !(status === 503 && /\.(connect|explore)$/.test(name));

/** Everything that the other workspace has, as it is stored. */
async function theirs() {
  const tables = ['channels', 'conversations', 'messages', 'contacts', 'tags', 'message_templates'];
  const rows = await Promise.all(
    tables.map((table) =>
      app.engine.database.query(`select to_jsonb(t) as row from ${table} t where workspace_id = $1 order by id`, [other.id]),
    ),
  );
  return rows.flatMap((result) => result.rows);
}

describe('another workspace', () => {
  it('is neither seen nor changed through any route', async () => {
    expect(routes.size).toBeGreaterThan(50);
    const before = await theirs();
    const everyId = Object.values(ids);
    for (const name of routes) {
      for (const id of everyId) {
        const body = {
          ...ids,
          id,
          channel_id: ids.channel_id,
          source_id: ids.contact_id,
          destination_id: ids.contact_id,
          subject: name === 'metadata.upsert' ? ['channel', 'conversation', 'message'][everyId.indexOf(id) % 3] : undefined,
          data: { a: 1 },
          state: 'CLOSED',
          display_name: 'taken over',
          title: 'taken over',
          suggestions: { a: { content: 1 } },
          name: `mine ${id}`,
          message: { text: 'mine' },
          source_recipient_id: ids.conversation_id,
          conversations: { [ids.conversation_id!]: 'chatplugin' },
        };
        const answer = await own.call(name, body);
        expect(isFault(name, answer.status), `${name}: ${answer.text}`).toBe(false);
        expect(answer.text, name).not.toContain('private words');
      }
    }
    expect(await theirs()).toEqual(before);
  });

  it('has no route without a key', async () => {
    for (const name of routes) {
      const answer = await app.post(name, {});
      expect([400, 401, 403], `${name} answered ${answer.status}`).toContain(answer.status);
    }
  });
});

describe('no input', () => {
  const known = () => fc.constantFrom(...Object.values(ids), randomUUID());
  const value = () =>
    fc.oneof(
      known(),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.constantFrom(
        '\u0000',
        '\ud800',
        '__proto__',
        'constructor',
        '-1',
        '1e999',
        '9999999999999',
        'tag-red',
        'conversation',
        'a'.repeat(5000),
      ),
      fc.jsonValue({ maxDepth: 3 }),
    );
  const FIELDS = [
    ...[
      'id',
      'channel_id',
      'conversation_id',
      'message_id',
      'contact_id',
      'tag_id',
      'source_id',
      'destination_id',
      'name',
      'color',
      'state',
    ],
    ...['cursor', 'page_size', 'filters', 'source', 'subject', 'data', 'message', 'suggestions', 'content', 'image_url', 'display_name'],
    ...[
      'address',
      'via',
      'conversations',
      'metadata',
      'timezone',
      'cursors',
      'include_sources',
      'auth_token',
      'source_recipient_id',
      'client_id',
    ],
    ...['resume_token', 'config', 'allowed_origins'],
  ];

  it('makes a 5xx', { timeout: 120_000 }, async () => {
    const home = await app.workspace();
    const channel = (await home.call('channels.chatplugin.connect', { name: 'fuzzed' })).json;
    const { token } = (await app.post('chatplugin.authenticate', { channel_id: channel.id })).json;
    const message = (await app.post('chatplugin.send', { message: { text: 'x' } }, { authorization: `Bearer ${token}` })).json;
    const real = { conversation_id: message.sender.id, message_id: message.id, channel_id: channel.id, id: channel.id };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...routes),
        fc.dictionary(fc.constantFrom(...FIELDS), value(), { maxKeys: 6 }),
        fc.constantFrom(...Object.keys(real), ''),
        fc.boolean(),
        async (name, body, field, asVisitor) => {
          const sent = field ? { ...body, [field]: real[field as keyof typeof real] } : body;
          const authorization = `Bearer ${asVisitor ? token : home.key}`;
          const answer = await app.post(name, sent, { authorization });
          expect(isFault(name, answer.status), `${name} ${JSON.stringify(sent)}: ${answer.text}`).toBe(false);
          if (answer.status >= 400) expect(typeof answer.json?.message, `${name}: ${answer.text}`).toBe('string');
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('that is no JSON, or too deep, or no text, does', async () => {
    for (const body of [
      '{',
      '[',
      '"',
      'nul',
      '{"a":',
      `${'['.repeat(5000)}${']'.repeat(5000)}`,
      '\u0000',
      '[]',
      '1',
      '"text"',
      '{"filters":"\\u0000"}',
    ]) {
      for (const name of routes) {
        const answer = await own.call(name, body);
        expect(isFault(name, answer.status), `${name} ${body.slice(0, 20)}: ${answer.text}`).toBe(false);
      }
    }
    const deep = `{"message":${'{"a":'.repeat(150)}1${'}'.repeat(150)},"conversation_id":"${ids.conversation_id}"}`;
    expect((await own.call('messages.send', deep)).status).toBe(202);
  });
});
