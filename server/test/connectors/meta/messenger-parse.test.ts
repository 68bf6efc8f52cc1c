import { describe, expect, it } from 'vitest';
import { parserOf } from '../../../src/connectors/meta/messenger/parse.ts';
import { rawOf } from './support.ts';

const page = parserOf({ identity: 'psid' });
const gram = parserOf({ identity: 'igsid' });
const at = 1458692752478;

function facebook(item: object): any[] {
  const messaging = [{ sender: { id: 'PSID' }, recipient: { id: 'PAGE' }, timestamp: at, ...item }];
  return page(rawOf('facebook', { object: 'page', entry: [{ id: 'PAGE', time: at, messaging }] }));
}
function instagram(item: object): any[] {
  const messaging = [{ sender: { id: 'IGSID' }, recipient: { id: 'IG' }, timestamp: at, ...item }];
  return gram(rawOf('instagram', { object: 'instagram', entry: [{ id: 'IG', time: at, messaging }] }));
}

describe('what people write', () => {
  it('keeps the whole messaging object', () => {
    const message = { mid: 'm_1', text: 'hello', reply_to: { mid: 'm_0' } };
    expect(facebook({ message })).toEqual([
      {
        kind: 'message',
        direction: 'in',
        providerId: 'm_1',
        contact: { identities: [{ kind: 'psid', value: 'PSID' }] },
        content: { type: 'text', text: 'hello' },
        payload: { sender: { id: 'PSID' }, recipient: { id: 'PAGE' }, timestamp: at, message },
        sentAt: new Date(at),
        replyTo: 'm_0',
      },
    ]);
  });

  const url = 'https://cdn.example/a/report%20one.pdf?x=1';
  it.each([
    [
      { text: 'Red', quick_reply: { payload: 'RED' } },
      { type: 'reply', via: 'quick_reply', title: 'Red', payload: 'RED' },
    ],
    [{ attachments: [{ type: 'image', payload: { url } }] }, { type: 'image', media: { url } }],
    [{ attachments: [{ type: 'image', payload: { url, sticker_id: 369239263222822 } }] }, { type: 'sticker' }],
    [{ attachments: [{ type: 'file', payload: { url } }] }, { type: 'file', media: { url, filename: 'report one.pdf' } }],
    [
      { attachments: [{ type: 'audio', payload: { url } }], text: 'listen' },
      { type: 'audio', caption: 'listen' },
    ],
    [
      { attachments: [{ type: 'location', title: 'Here', payload: { coordinates: { lat: 1.5, long: 2 } } }] },
      { type: 'location', latitude: 1.5, longitude: 2, name: 'Here' },
    ],
    [
      { text: 'see', attachments: [{ type: 'fallback', payload: { url: 'https://x.example', title: 'X' } }] },
      { type: 'text', text: 'see\nhttps://x.example' },
    ],
    [
      {
        attachments: [
          { type: 'image', payload: { url } },
          { type: 'video', payload: { url } },
        ],
      },
      { type: 'cards', cards: [{ media: { url } }, { media: { url } }] },
    ],
    [
      {
        attachments: [
          {
            type: 'template',
            payload: {
              template_type: 'generic',
              elements: [{ title: 'T', subtitle: 'S', buttons: [{ type: 'postback', title: 'B', payload: 'P' }] }],
            },
          },
        ],
      },
      { type: 'cards', cards: [{ title: 'T', text: 'S', actions: [{ type: 'reply', text: 'B', payload: 'P' }] }] },
    ],
    [{ attachments: [{ type: 'something_new', payload: {} }] }, { type: 'unsupported', kind: 'something_new' }],
    [{ is_unsupported: true }, { type: 'unsupported' }],
    [{}, { type: 'unsupported', kind: 'empty' }],
  ])('reads %j', (message, content) => {
    expect(facebook({ message: { mid: 'm', ...message } })[0]).toMatchObject({ kind: 'message', content });
  });

  it.each(['story_mention', 'ig_post', 'ig_reel', 'reel', 'share'])('shows an Instagram %s with its picture', (type) => {
    const [event] = instagram({ message: { mid: 'm', attachments: [{ type, payload: { url: 'https://cdn.example/x' } }] } });
    expect(event.content).toMatchObject({ type: 'cards', cards: [{ media: { url: 'https://cdn.example/x' } }] });
  });

  it('tells story replies, deletions and edits', () => {
    const story = { id: 's', url: 'https://cdn.example/s' };
    expect(instagram({ message: { mid: 'm', text: 'nice', reply_to: { story } } })[0].facts).toEqual({ story });
    expect(instagram({ message: { mid: 'm', is_deleted: true } })[0]).toMatchObject({ kind: 'revoke', target: 'm' });
    expect(facebook({ message_edit: { mid: 'm', text: 'new', num_edit: 1 } })[0]).toMatchObject({
      kind: 'edit',
      target: 'm',
      content: { text: 'new' },
    });
  });

  it('reads postbacks; one without an id gets a lasting one', () => {
    const postback = { title: 'Start', payload: 'GO', referral: { ref: 'ad' } };
    const [first] = facebook({ postback });
    expect(first).toMatchObject({
      kind: 'message',
      content: { type: 'reply', via: 'postback', title: 'Start', payload: 'GO' },
      facts: { referral: { ref: 'ad' } },
    });
    expect(facebook({ postback })[0].providerId).toBe(first.providerId);
    expect(facebook({ postback: { ...postback, payload: 'STOP' } })[0].providerId).not.toBe(first.providerId);
    expect(facebook({ postback: { ...postback, mid: 'm_9' } })[0].providerId).toBe('m_9');
  });

  it('shows referrals and opt-ins without opening a window', () => {
    expect(facebook({ referral: { ref: 'x', source: 'SHORTLINK' } })[0]).toMatchObject({
      content: { type: 'system', event: 'referral' },
      opensWindow: false,
      automatic: true,
    });
    expect(facebook({ optin: { type: 'notification_messages', title: 'News' } })[0]).toMatchObject({
      content: { event: 'optin' },
      opensWindow: false,
    });
  });

  it('decodes emoji however they are written', () => {
    const react = (reaction: object) => facebook({ reaction: { mid: 'm', ...reaction } })[0];
    expect(react({ action: 'react', emoji: '\\u{2764}\\u{FE0F}', reaction: 'love' })).toMatchObject({
      kind: 'reaction',
      emoji: '❤️',
      by: 'contact',
    });
    expect(react({ action: 'react', emoji: '😀' })).toMatchObject({ emoji: '😀' });
    expect(react({ action: 'react', reaction: 'love' })).toMatchObject({ emoji: '❤️' });
    expect(react({ action: 'react', emoji: '\\u{FFFFFF}' })).toMatchObject({ emoji: '\\u{FFFFFF}' });
    expect(react({ action: 'unreact' })).toMatchObject({ emoji: null });
  });
});

describe('echoes', () => {
  const echo = (message: object) =>
    facebook({ sender: { id: 'PAGE' }, recipient: { id: 'PSID' }, message: { mid: 'm', text: 'x', is_echo: true, ...message } })[0];
  it('are outbound, to the reader', () => {
    expect(echo({})).toMatchObject({ direction: 'out', contact: { identities: [{ kind: 'psid', value: 'PSID' }] } });
    expect(echo({}).own).toBeUndefined();
  });
  it('hand back our id, with the part where others follow, and what others wrote there', () => {
    const ours = '0199d8a0-1111-7000-8000-000000000001';
    expect(echo({ app_id: 42, metadata: ours })).toMatchObject({ ourId: ours, facts: { appId: '42' } });
    expect(echo({ metadata: ours }).ourPart).toBeUndefined();
    expect(echo({ metadata: `${ours}.0` })).toMatchObject({ ourId: ours, ourPart: 0 });
    for (const foreign of ['CRM 7', `${ours}.x`, `${ours}.10`]) {
      expect(echo({ metadata: foreign }).ourId).toBeUndefined();
      expect(echo({ metadata: foreign }).facts).toEqual({ metadata: foreign });
    }
  });
});

describe('receipts', () => {
  it('are watermarks on Messenger', () => {
    const contact = { identities: [{ kind: 'psid', value: 'PSID' }] };
    expect(facebook({ delivery: { mids: ['a', 'b'], watermark: at } })).toEqual([
      { kind: 'receipt', providerId: 'a', state: 'delivered', at: new Date(at) },
      { kind: 'receipt', providerId: 'b', state: 'delivered', at: new Date(at) },
      { kind: 'receipt', upTo: { contact, at: new Date(at) }, state: 'delivered', at: new Date(at) },
    ]);
    expect(facebook({ read: { watermark: at } })).toEqual([
      { kind: 'receipt', upTo: { contact, at: new Date(at) }, state: 'read', at: new Date(at) },
    ]);
  });
  it('name the message on Instagram, and all before it', () => {
    const contact = { identities: [{ kind: 'igsid', value: 'IGSID' }] };
    expect(instagram({ read: { mid: 'm' } })).toEqual([
      { kind: 'receipt', providerId: 'm', state: 'read', at: new Date(at) },
      { kind: 'receipt', upTo: { contact, at: new Date(at) }, state: 'read', at: new Date(at) },
    ]);
  });
});

describe('the rest', () => {
  it('reads messages while another app has the conversation', () => {
    const standby = [{ sender: { id: 'PSID' }, recipient: { id: 'PAGE' }, timestamp: at, message: { mid: 'm', text: 'x' } }];
    expect(page(rawOf('facebook', { object: 'page', entry: [{ id: 'PAGE', standby }] }))[0]).toMatchObject({
      kind: 'message',
      facts: { standby: true },
    });
  });
  it.each(['pass_thread_control', 'take_thread_control', 'request_thread_control', 'app_roles', 'account_linking', 'unheard_of'])(
    'ignores %s',
    (kind) => {
      expect(facebook({ [kind]: {} })[0]).toMatchObject({ kind: 'ignored' });
    },
  );
  it('reads the dashboard’s test', () => {
    const value = {
      sender: { id: '12334' },
      recipient: { id: '23245' },
      timestamp: '1527459824',
      message: { mid: 'random_mid', text: 'random_text' },
    };
    expect(
      gram(rawOf('instagram', { object: 'instagram', entry: [{ id: '0', changes: [{ field: 'messages', value }] }] }))[0],
    ).toMatchObject({ kind: 'message', providerId: 'random_mid' });
    expect(page(rawOf('facebook', { object: 'page', entry: [{ id: '0', changes: [{ field: 'feed', value: {} }] }] }))[0]).toMatchObject({
      kind: 'ignored',
    });
  });
  it('tells when Meta blocks the page', () => {
    expect(facebook({ 'policy-enforcement': { action: 'block', reason: 'Spam' } })[0]).toMatchObject({ kind: 'account', status: 'failed' });
  });
});
