/** Whatever order Meta's webhooks come in, however often, and however many at a time: they end in the same state. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawEvent } from '../../src/connectors/connector.ts';
import { uuidv7 } from '../../src/model/ids.ts';
import { testEngine } from '../support/engine.ts';

const RUNS = Number(process.env.ORDER_RUNS ?? 25);
const NUMBER = '106540352242922';
const WABA = '102290129340398';
const ADA = '491701234567';
const T = 1_900_000_000;
const engine = await testEngine({ META_APP_ID: '77' });

type Part = Record<string, unknown>;
const whatsapp = (field: string, value: Part, time = T) => ({
  object: 'whatsapp_business_account',
  entry: [{ id: WABA, time, changes: [{ field, value }] }],
});
const about = (value: Part) => ({
  messaging_product: 'whatsapp',
  metadata: { display_phone_number: '15550783881', phone_number_id: NUMBER },
  ...value,
});
const people = [{ profile: { name: 'Ada' }, wa_id: ADA }];
const said = (message: Part) => whatsapp('messages', about({ contacts: people, messages: [{ from: ADA, ...message }] }));
const text = (id: string, seconds: number, body: string, more: Part = {}) =>
  said({ id, timestamp: String(T + seconds), type: 'text', text: { body }, ...more });
const status = (id: string, word: string, seconds: number, more: Part = {}) =>
  whatsapp('messages', about({ statuses: [{ id, status: word, timestamp: String(T + seconds), recipient_id: ADA, ...more }] }));
const template = (event: string, seconds: number, more: Part = {}) =>
  whatsapp(
    'message_template_status_update',
    { event, message_template_id: 7, message_template_name: 'sale', message_template_language: 'en_US', reason: 'NONE', ...more },
    T + seconds,
  );
const quality = (event: string, seconds: number) =>
  whatsapp('phone_number_quality_update', { display_phone_number: '15550783881', event, current_limit: `TIER_${seconds}K` }, T + seconds);

const onWhatsApp = [
  text('wamid.1', 1, 'Hello'),
  text('wamid.2', 2, 'Anybody?', { context: { id: 'wamid.out' } }),
  said({ id: 'wamid.3', timestamp: String(T + 3), type: 'image', image: { id: 'M1', mime_type: 'image/png' } }),
  said({
    id: 'wamid.e',
    timestamp: String(T + 9),
    type: 'edit',
    edit: { original_message_id: 'wamid.1', message: { type: 'text', text: { body: 'Hallo' } } },
  }),
  said({
    id: 'wamid.f',
    timestamp: String(T + 10),
    type: 'edit',
    edit: { original_message_id: 'wamid.1', message: { type: 'text', text: { body: 'Hi' } } },
  }),
  said({
    id: 'wamid.g',
    timestamp: String(T + 12),
    type: 'edit',
    edit: { original_message_id: 'wamid.3', message: { type: 'image', image: { id: 'M1', mime_type: 'image/png', caption: 'A chair' } } },
  }),
  said({ id: 'wamid.v', timestamp: String(T + 11), type: 'revoke', revoke: { original_message_id: 'wamid.2' } }),
  said({ id: 'wamid.r', timestamp: String(T + 4), type: 'reaction', reaction: { message_id: 'wamid.out', emoji: '👍' } }),
  said({ id: 'wamid.s', timestamp: String(T + 5), type: 'reaction', reaction: { message_id: 'wamid.out', emoji: '' } }),
  said({ id: 'wamid.t', timestamp: String(T + 6), type: 'reaction', reaction: { message_id: 'wamid.echo', emoji: '❤️' } }),
  whatsapp(
    'smb_message_echoes',
    about({
      message_echoes: [
        { from: '15550783881', to: ADA, id: 'wamid.echo', timestamp: String(T + 5), type: 'text', text: { body: 'From the phone' } },
      ],
    }),
  ),
  status('wamid.echo', 'delivered', 6),
  status('wamid.echo', 'read', 7),
  ...['sent', 'delivered', 'read'].map((word, n) => status('wamid.out', word, n)),
  status('wamid.out2', 'sent', 1),
  status('wamid.out2', 'failed', 2, { errors: [{ code: 131026, title: 'Message undeliverable' }] }),
  template('APPROVED', 10),
  template('PAUSED', 30),
  template('REJECTED', 20, { reason: 'SCAM' }),
  template('APPROVED', 40),
  whatsapp(
    'template_category_update',
    { message_template_id: 7, message_template_name: 'sale', message_template_language: 'en-US', new_category: 'MARKETING' },
    T + 25,
  ),
  quality('FLAGGED', 10),
  quality('UNFLAGGED', 20),
  quality('FLAGGED', 30),
  whatsapp(
    'user_preferences',
    about({ user_preferences: [{ wa_id: ADA, category: 'marketing_messages', value: 'stop', timestamp: T + 8 }] }),
  ),
];

const messenger = (item: Part, from = '9001') => ({
  object: 'page',
  entry: [{ id: '555', time: T * 1000, messaging: [{ sender: { id: from }, recipient: { id: '555' }, ...item }] }],
});
const echoed = (item: Part) => ({
  object: 'page',
  entry: [{ id: '555', time: T * 1000, messaging: [{ sender: { id: '555' }, recipient: { id: '9001' }, ...item }] }],
});
const ms = (seconds: number) => (T + seconds) * 1000;
const onMessenger = [
  messenger({ timestamp: ms(1), message: { mid: 'm_1', text: 'Hello' } }),
  messenger({ timestamp: ms(2), message: { mid: 'm_2', text: 'And this?', reply_to: { mid: 'm_echo' } } }),
  messenger({ timestamp: ms(3), postback: { mid: 'm_3', title: 'Start', payload: 'GO' } }),
  messenger({ timestamp: ms(4), message_edit: { mid: 'm_1', text: 'Hallo' } }),
  messenger({ timestamp: ms(5), reaction: { mid: 'm_echo', action: 'react', emoji: '❤️' } }),
  messenger({ timestamp: ms(6), reaction: { mid: 'm_echo', action: 'unreact' } }),
  messenger({ timestamp: ms(7), reaction: { mid: 'm_1', action: 'react', emoji: '😮' } }),
  messenger({ timestamp: ms(8), message: { mid: 'm_2', is_deleted: true } }),
  echoed({ timestamp: ms(2), message: { mid: 'm_echo', is_echo: true, app_id: 26, text: 'From the inbox' } }),
  echoed({ timestamp: ms(20), message: { mid: 'm_late', is_echo: true, app_id: 77, text: 'From another program of ours' } }),
  messenger({ timestamp: ms(9), delivery: { mids: ['m_echo'], watermark: ms(9) } }),
  messenger({ timestamp: ms(10), read: { watermark: ms(10) } }),
  messenger({ timestamp: ms(21), delivery: { watermark: ms(21) } }),
  messenger({ timestamp: ms(11), optin: { title: 'News' } }),
];

/** A workspace of its own, so that runs do not meet, with messages that we sent before. */
async function workspaceFor(source: string, sourceChannelId: string): Promise<{ workspaceId: string; channelId: string }> {
  const workspaceId = uuidv7();
  const channelId = uuidv7();
  const run = (sql: string, values: unknown[]) => engine.database.query(sql, values);
  await run(`insert into workspaces (workspace_id, name) values ($1, 'order')`, [workspaceId]);
  await run(
    `insert into channels (workspace_id, id, source, source_channel_id, account, name, status, details)
     values ($1, $2, $3, $4, $5, 'Test', 'active', '{"display_number": "+15550783881"}')`,
    [workspaceId, channelId, source, sourceChannelId, source === 'whatsapp' ? WABA : sourceChannelId],
  );
  // Also makes the engine forget where events went before.
  await engine.channels.change(workspaceId, channelId, { name: 'Order' });
  if (source !== 'whatsapp') return { workspaceId, channelId };
  const contactId = uuidv7();
  const conversationId = uuidv7();
  await run(`insert into contacts (workspace_id, id) values ($1, $2)`, [workspaceId, contactId]);
  await run(`insert into identities (workspace_id, kind, scope, value, contact_id) values ($1, 'phonenumber', '', $2, $3)`, [
    workspaceId,
    `+${ADA}`,
    contactId,
  ]);
  await run(`insert into conversations (workspace_id, id, channel_id, contact_id) values ($1, $2, $3, $4)`, [
    workspaceId,
    conversationId,
    channelId,
    contactId,
  ]);
  for (const id of ['wamid.out', 'wamid.out2']) {
    await run(
      `insert into messages (workspace_id, id, channel_id, conversation_id, contact_id, source, direction, provider_id, state, content, sent_at)
       values ($1, $2, $3, $4, $5, 'whatsapp', 'out', $6, 'sent', '{"type": "text", "text": "x"}', to_timestamp($7))`,
      [workspaceId, uuidv7(), channelId, conversationId, contactId, id, T - 10],
    );
  }
  return { workspaceId, channelId };
}

async function stateOf(workspaceId: string): Promise<unknown> {
  const rows = async (sql: string) => (await engine.database.query(sql, [workspaceId])).rows;
  const messages = await rows(
    `select m.provider_id as id, m.direction, m.state, m.content, m.payload, m.metadata, m.error, m.sent_at, r.provider_id as answers
     from messages m left join messages r on r.workspace_id = m.workspace_id and r.id = m.reply_to where m.workspace_id = $1 order by 1`,
  );
  return {
    messages: messages.map(({ content, ...message }: any) => {
      const { media, ...rest } = content;
      return { ...message, content: media ? { ...rest, media: { ...media, id: typeof media.id } } : rest };
    }),
    media: await rows(`select distinct provider_ref from media where workspace_id = $1`),
    conversations: await rows(
      `select c.unread_count, c.window_expires_at, c.last_inbound_at, c.last_message_at, m.provider_id as last
       from conversations c left join messages m on m.workspace_id = c.workspace_id and m.id = c.last_message_id where c.workspace_id = $1`,
    ),
    contacts: await rows(`select display_name from contacts where workspace_id = $1`),
    identities: await rows('select kind, scope, value from identities where workspace_id = $1 order by 1, 2, 3'),
    templates: await rows(
      'select name, status, category, quality, rejected_reason, history from provider_templates where workspace_id = $1 order by name',
    ),
    channels: await rows('select status, status_reason, details from channels where workspace_id = $1'),
    early: await rows('select provider_id, event_key from early_receipts where workspace_id = $1 order by 1, 2'),
  };
}

/** The webhooks in some order, some of them more than once, cut into batches. */
function deliveries<T>(events: T[]): fc.Arbitrary<T[][]> {
  return fc
    .tuple(
      fc.shuffledSubarray(events, { minLength: events.length, maxLength: events.length }),
      fc.array(fc.tuple(fc.nat(events.length - 1), fc.nat(events.length)), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: events.length * 2, maxLength: events.length * 2 }),
    )
    .map(([order, repeats, sizes]) => {
      const all = [...order];
      for (const [which, where] of repeats) all.splice(where, 0, events[which]!);
      const batches: T[][] = [];
      for (let at = 0, n = 0; at < all.length; at += sizes[n++]!) batches.push(all.slice(at, at + sizes[n]!));
      return batches;
    });
}

describe.each([
  ['whatsapp', NUMBER, onWhatsApp],
  ['facebook', '555', onMessenger],
])('%s', (source, account, events) => {
  async function stateAfter(batches: unknown[][]): Promise<unknown> {
    const { workspaceId, channelId } = await workspaceFor(source, account);
    for (const batch of batches) {
      await engine.ingest.submit(
        batch.map((value): RawEvent => {
          const channel = { workspaceId, id: channelId };
          const body = Buffer.from(JSON.stringify(value));
          return { source, sourceChannelId: account, channel, contentType: 'application/json', body };
        }),
      );
    }
    const state = await stateOf(workspaceId);
    await engine.database.query(`update channels set status = 'deleted' where workspace_id = $1`, [workspaceId]);
    return state;
  }

  it('ends in the same state', async () => {
    const expected = await stateAfter(events.map((event) => [event]));
    await fc.assert(
      fc.asyncProperty(deliveries<unknown>(events), async (batches) => {
        expect(await stateAfter(batches)).toEqual(expected);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  }, 300_000);
});
