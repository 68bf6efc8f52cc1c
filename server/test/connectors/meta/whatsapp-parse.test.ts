import { describe, expect, it } from 'vitest';
import type { InboundEvent } from '../../../src/connectors/events.ts';
import { parse } from '../../../src/connectors/meta/whatsapp/parse.ts';
import { exampleWebhooks, hasEvidence, rawOf } from './support.ts';

const WABA = '102290129340398';
const metadata = { display_phone_number: '15550783881', phone_number_id: '106540352242922' };
const sheena = { profile: { name: 'Sheena Nelson' }, wa_id: '16505551234' };

function said(value: object, field = 'messages'): InboundEvent[] {
  return parse(rawOf('whatsapp', { object: 'whatsapp_business_account', entry: [{ id: WABA, changes: [{ value, field }] }] }));
}
function message(message: object, contacts: object[] = [sheena]): any[] {
  return said({
    messaging_product: 'whatsapp',
    metadata,
    contacts,
    messages: [{ from: '16505551234', id: 'wamid.1', timestamp: '1749416383', ...message }],
  });
}

describe('Meta’s own examples', () => {
  const expected: Record<string, [string, string?][]> = {
    'Text Message': [['message', 'text']],
    'Text Message with Context (Product Inquiry)': [['message', 'text']],
    'Text Message from Click to WhatsApp Ad': [['message', 'text']],
    'Reaction Message': [['reaction']],
    'Image Message': [['message', 'image']],
    'Location Message': [['message', 'location']],
    'Contact Sharing Message': [['message', 'contacts']],
    'Unsupported Message': [['message', 'unsupported']],
    'Button Message': [['message', 'reply']],
    'Interactive List Reply Message': [['message', 'reply']],
    'Interactive Button Reply Message': [['message', 'reply']],
    'Order Message': [['message', 'order']],
    'System Message': [['message', 'system'], ['contact']],
    'Group Create Message': [['ignored']],
    'Group Settings Update': [['ignored']],
    'Group Remove Participants': [['ignored']],
  };

  it.skipIf(!hasEvidence)('are all known, and mean what their titles say', () => {
    const found = Object.fromEntries(
      Object.entries(exampleWebhooks()).map(([title, body]) => [
        title,
        parse(rawOf('whatsapp', body)).map((event) => (event.kind === 'message' ? [event.kind, event.content.type] : [event.kind])),
      ]),
    );
    expect(found).toEqual(expected);
  });
});

describe('what customers write', () => {
  it('keeps the message object, its time and its writer', () => {
    const [event] = message({ type: 'text', text: { body: 'Does it come in another color?' } });
    expect(event).toEqual({
      kind: 'message',
      direction: 'in',
      providerId: 'wamid.1',
      contact: { identities: [{ kind: 'phonenumber', value: '+16505551234' }], name: 'Sheena Nelson' },
      content: { type: 'text', text: 'Does it come in another color?' },
      payload: {
        from: '16505551234',
        id: 'wamid.1',
        timestamp: '1749416383',
        type: 'text',
        text: { body: 'Does it come in another color?' },
      },
      sentAt: new Date('2025-06-08T20:59:43Z'),
    });
  });

  it.each([
    [
      { type: 'audio', audio: { id: '9', mime_type: 'audio/ogg; codecs=opus', voice: true } },
      { type: 'audio', voice: true },
    ],
    [
      { type: 'video', video: { id: '9', caption: 'see' } },
      { type: 'video', caption: 'see', media: { providerRef: '9' } },
    ],
    [
      { type: 'document', document: { id: '9', filename: 'a.pdf' } },
      { type: 'file', media: { filename: 'a.pdf', providerRef: '9' } },
    ],
    [{ type: 'sticker', sticker: { id: '9', animated: true } }, { type: 'sticker' }],
    [
      {
        type: 'interactive',
        interactive: { type: 'nfm_reply', nfm_reply: { name: 'flow', body: 'Sent', response_json: '{"flow_token":"t","size":3}' } },
      },
      { type: 'reply', via: 'flow', title: 'Sent', data: { flow_token: 't', size: 3 } },
    ],
    [
      { type: 'interactive', interactive: { type: 'nfm_reply', nfm_reply: { response_json: 'broken' } } },
      { type: 'reply', via: 'flow', payload: 'broken' },
    ],
    [
      { type: 'interactive', interactive: { type: 'call_permission_reply' } },
      { type: 'unsupported', kind: 'interactive.call_permission_reply' },
    ],
    [
      { type: 'system', system: { type: 'customer_identity_changed', body: 'x', identity: 'y' } },
      { type: 'system', event: 'customer_identity_changed' },
    ],
    [
      { type: 'unknown', errors: [{ code: 131051, title: 'Unknown' }] },
      { type: 'unsupported', kind: 'unknown', text: 'Unknown' },
    ],
    [
      { type: 'poll_of_next_year', poll_of_next_year: {} },
      { type: 'unsupported', kind: 'poll_of_next_year' },
    ],
    [
      { type: 'location', location: { latitude: 'x' } },
      { type: 'unsupported', kind: 'location' },
    ],
    [{}, { type: 'unsupported', kind: 'unknown' }],
  ])('reads %j', (part, content) => {
    expect(message(part)[0]).toMatchObject({ kind: 'message', content });
  });

  it('turns the base64 sum of a file into hex', () => {
    const [event] = message({ type: 'image', image: { id: '9', sha256: 'SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=' } });
    expect(event.content.media.sha256).toBe('49f227634806293b0995459bc310b593e1400f41591efcf07e9bced335f41942');
  });

  it('tells replies, forwards and advertisements', () => {
    const [event] = message({
      type: 'text',
      text: { body: 'x' },
      context: { id: 'wamid.0', from: '15550783881', forwarded: true, frequently_forwarded: true },
      referral: { source_type: 'ad', ctwa_clid: 'Aff' },
    });
    expect(event.replyTo).toBe('wamid.0');
    expect(event.facts).toEqual({ forwarded: true, frequentlyForwarded: true, referral: { source_type: 'ad', ctwa_clid: 'Aff' } });
  });

  it('knows people without a telephone number', () => {
    const [event] = said({
      metadata,
      contacts: [{ profile: { name: 'Ana', username: 'ana.b' }, user_id: 'US.13491208655302741918', parent_user_id: 'US.ENT.1' }],
      messages: [{ from_user_id: 'US.13491208655302741918', id: 'wamid.2', timestamp: '1749416383', type: 'text', text: { body: 'hi' } }],
    }) as any[];
    expect(event.contact).toEqual({
      name: 'Ana',
      identities: [
        { kind: 'whatsappbsuid', value: 'US.13491208655302741918' },
        { kind: 'whatsappbsuid', value: 'US.ENT.1' },
        { kind: 'whatsappusername', value: 'ana.b' },
      ],
    });
  });

  it('never gives one person another one’s name', () => {
    const two = [sheena, { profile: { name: 'Bo' }, wa_id: '4915112345678' }];
    const found = said({
      metadata,
      contacts: two,
      messages: [
        { from: '4915112345678', id: 'a', timestamp: '1', type: 'text', text: { body: 'x' } },
        { from: '16505551234', id: 'b', timestamp: '1', type: 'text', text: { body: 'x' } },
        { from: '999', id: 'c', timestamp: '1', type: 'text', text: { body: 'x' } },
      ],
    }) as any[];
    expect(found.map(({ contact }) => contact.name)).toEqual(['Bo', 'Sheena Nelson', undefined]);
    expect((message({ from: '999', type: 'text', text: { body: 'x' } })[0] as any).contact.name).toBeUndefined();
  });

  it('reads reactions and their removal, edits and revokes', () => {
    const reaction = { type: 'reaction', reaction: { message_id: 'wamid.0', emoji: '👍' } };
    expect(message(reaction)[0]).toMatchObject({ kind: 'reaction', target: 'wamid.0', emoji: '👍', by: 'contact' });
    expect(message({ type: 'reaction', reaction: { message_id: 'wamid.0', emoji: '' } })[0]).toMatchObject({ emoji: null });
    expect(message({ type: 'reaction', reaction: { message_id: 'wamid.0' } })[0]).toMatchObject({ emoji: null });
    const edit = { original_message_id: 'wamid.0', message: { type: 'text', text: { body: 'better' } } };
    expect(message({ type: 'edit', edit })[0]).toMatchObject({
      kind: 'edit',
      target: 'wamid.0',
      content: { type: 'text', text: 'better' },
    });
    expect(message({ type: 'revoke', revoke: { original_message_id: 'wamid.0' } })[0]).toMatchObject({ kind: 'revoke', target: 'wamid.0' });
  });

  it('adds a changed number to the contact', () => {
    const found = message({ type: 'system', system: { type: 'user_changed_number', wa_id: '12195555358', body: 'changed' } }, []);
    expect(found.map(({ kind }) => kind)).toEqual(['message', 'contact']);
    expect(found[0]).toMatchObject({ opensWindow: false, automatic: true });
    expect(found[1]).toMatchObject({
      contact: { identities: [{ kind: 'phonenumber', value: '+16505551234' }] },
      adds: [{ kind: 'phonenumber', value: '+12195555358' }],
    });
  });

  it('keeps group messages without opening a window', () => {
    expect(message({ group_id: 'G1', type: 'text', text: { body: 'x' } })[0]).toMatchObject({
      content: { type: 'unsupported', kind: 'group' },
      opensWindow: false,
      facts: { groupId: 'G1' },
    });
  });

  it('reads the older wrapping too', () => {
    const value = {
      whatsapp_business_api_data: {
        metadata,
        contacts: [sheena],
        messages: [{ from: '16505551234', id: 'x', type: 'text', text: { body: 'x' } }],
      },
    };
    expect(said(value)[0]).toMatchObject({ kind: 'message', providerId: 'x' });
  });
});

describe('what became of our messages', () => {
  const status = (status: object) =>
    said({ metadata, statuses: [{ id: 'wamid.1', timestamp: '1749416383', recipient_id: '16505551234', ...status }] })[0] as any;

  it.each([
    ['sent', 'sent'],
    ['delivered', 'delivered'],
    ['read', 'read'],
    ['played', 'read'],
  ])('%s', (word, state) => {
    expect(status({ status: word })).toMatchObject({ kind: 'receipt', providerId: 'wamid.1', state, at: new Date('2025-06-08T20:59:43Z') });
  });

  it('hands back our id and the price', () => {
    const ours = '0199d8a0-1111-7000-8000-000000000001';
    const pricing = { billable: true, pricing_model: 'PMP', category: 'utility' };
    expect(status({ status: 'sent', biz_opaque_callback_data: ours, pricing, conversation: { id: 'c' } })).toMatchObject({
      ourId: ours,
      facts: { pricing, conversation: { id: 'c' } },
    });
    expect(status({ status: 'sent', biz_opaque_callback_data: 'somebody else’s' })).toMatchObject({
      facts: { callbackData: 'somebody else’s' },
    });
  });

  it('says why a message failed', () => {
    const errors = [{ code: 131047, title: 'Re-engagement message', error_data: { details: 'More than 24 hours have passed' } }];
    expect(status({ status: 'failed', errors }).error).toMatchObject({
      class: 'window-closed',
      providerCode: '131047',
      providerMessage: 'Re-engagement message: More than 24 hours have passed',
    });
    expect(status({ status: 'failed' }).error).toMatchObject({ class: 'rejected' });
  });

  it.each(['deleted', 'constructor', '__proto__', ''])('ignores the status “%s”', (word) => {
    expect(status({ status: word })).toMatchObject({ kind: 'ignored' });
  });

  it('keeps an error that is about no message', () => {
    expect(said({ metadata, errors: [{ code: 131000, title: 'Something went wrong' }] })[0]).toMatchObject({
      kind: 'account',
      reason: 'Something went wrong',
    });
  });
});

describe('what was written in the phone’s app', () => {
  it('is outbound, to the customer', () => {
    const echo = {
      from: '15550783881',
      to: '16505551234',
      id: 'wamid.e',
      timestamp: '1749416383',
      type: 'text',
      text: { body: 'We open at 9' },
    };
    expect(said({ metadata, message_echoes: [echo] }, 'smb_message_echoes')[0]).toMatchObject({
      kind: 'message',
      direction: 'out',
      providerId: 'wamid.e',
      contact: { identities: [{ kind: 'phonenumber', value: '+16505551234' }] },
      content: { type: 'text', text: 'We open at 9' },
    });
    const revoke = { ...echo, type: 'revoke', revoke: { original_message_id: 'wamid.1' } };
    expect(said({ metadata, message_echoes: [revoke] }, 'smb_message_echoes')[0]).toMatchObject({ kind: 'revoke', target: 'wamid.1' });
  });
});

describe('templates, numbers and accounts', () => {
  const template = { message_template_id: 1689556908129832, message_template_name: 'order', message_template_language: 'en_US' };
  it.each([
    ['message_template_status_update', { ...template, event: 'APPROVED', reason: 'NONE' }, { kind: 'template', status: 'APPROVED' }],
    [
      'message_template_status_update',
      { ...template, event: 'REJECTED', reason: 'INCORRECT_CATEGORY', rejection_info: { recommendation: 'Use marketing' } },
      { status: 'REJECTED', reason: 'INCORRECT_CATEGORY – Use marketing', providerRef: '1689556908129832' },
    ],
    ['message_template_status_update', { ...template, event: 'REINSTATED' }, { status: 'APPROVED' }],
    ['message_template_status_update', { ...template, event: 'FLAGGED' }, { quality: 'RED' }],
    [
      'message_template_quality_update',
      { ...template, previous_quality_score: 'GREEN', new_quality_score: 'YELLOW' },
      { quality: 'YELLOW' },
    ],
    ['template_category_update', { ...template, previous_category: 'UTILITY', new_category: 'MARKETING' }, { category: 'MARKETING' }],
    ['message_template_components_update', template, { kind: 'template', name: 'order' }],
    [
      'phone_number_quality_update',
      { display_phone_number: '15550783881', event: 'FLAGGED', current_limit: 'TIER_1K' },
      {
        kind: 'account',
        status: 'warning',
        where: { detail: 'display_number', value: '+15550783881' },
        details: { messaging_limit_tier: 'TIER_1K' },
      },
    ],
    ['phone_number_quality_update', { event: 'THROUGHPUT_UPGRADE' }, { details: { throughput: 'HIGH' } }],
    [
      'phone_number_name_update',
      { display_phone_number: '15550783881', decision: 'APPROVED', requested_verified_name: 'WhatsApp' },
      { details: { name_status: 'APPROVED', verified_name: 'WhatsApp' } },
    ],
    ['account_update', { event: 'DISABLED_UPDATE', ban_info: { waba_ban_state: ['DISABLE'] } }, { status: 'failed' }],
    ['account_update', { event: 'DISABLED_UPDATE', ban_info: [{ waba_ban_state: 'SCHEDULE_FOR_DISABLE' }] }, { status: 'warning' }],
    ['account_update', { event: 'PARTNER_REMOVED' }, { status: 'failed' }],
    [
      'account_update',
      { event: 'ACCOUNT_RESTRICTION', restriction_info: [{ restriction_type: 'RESTRICTED_BIZ_INITIATED_MESSAGING' }] },
      { status: 'warning' },
    ],
    [
      'account_update',
      { event: 'ACCOUNT_VIOLATION', violation_info: { violation_type: 'ALCOHOL' } },
      { reason: 'Meta reports a policy violation: ALCOHOL' },
    ],
    ['account_update', { event: 'VERIFIED_ACCOUNT' }, { kind: 'account', details: { account_event: 'VERIFIED_ACCOUNT' } }],
    ['account_review_update', { decision: 'REJECTED' }, { status: 'warning' }],
    ['account_alerts', { alert_severity: 'CRITICAL', alert_description: 'x' }, { status: 'warning', reason: 'x' }],
    ['business_capability_update', { max_phone_numbers_per_business: 2 }, { kind: 'account' }],
    ['security', { event: 'PIN_CHANGED', display_phone_number: '1' }, { kind: 'account' }],
    ['a_field_of_next_year', {}, { kind: 'ignored' }],
  ])('%s %j', (field, value, expected) => {
    const [event] = said(value, field) as any[];
    expect(event).toMatchObject(expected);
    if (event.kind !== 'ignored') expect(event).toMatchObject({ account: WABA, payload: value });
  });
});

describe('what a shared number brings along, and what customers decide', () => {
  const old = (more: object) => ({ id: 'wamid.h', timestamp: '1749416383', type: 'text', text: { body: 'Old' }, ...more });
  const threads = (...messages: object[]) => ({
    metadata,
    history: [{ metadata: { phase: 0 }, threads: [{ id: '16505551234', messages }] }],
  });

  it('keeps old messages of both sides without unread marks, with what became of ours', () => {
    const events = said(
      threads(
        old({ from: '16505551234', history_context: { status: 'READ' } }),
        old({ id: 'wamid.o', from: metadata.display_phone_number, to: '16505551234', history_context: { status: 'DELIVERED' } }),
      ),
      'history',
    );
    const contact = { identities: [{ kind: 'phonenumber', value: '+16505551234' }] };
    expect(events).toMatchObject([
      { kind: 'message', direction: 'in', providerId: 'wamid.h', contact, automatic: true, facts: { history: true } },
      { kind: 'message', direction: 'out', providerId: 'wamid.o', contact },
      { kind: 'receipt', providerId: 'wamid.o', state: 'delivered' },
    ]);
  });

  it('puts files where their placeholders are', () => {
    const image = { id: 'M', mime_type: 'image/png' };
    expect(said({ metadata, messages: [old({ from: '16505551234', type: 'image', image })] }, 'history')).toMatchObject([
      { kind: 'message', providerId: 'wamid.h', content: { type: 'image' } },
      { kind: 'edit', target: 'wamid.h', completes: true, content: { type: 'image', media: { providerRef: 'M' } } },
    ]);
    const declined = { errors: [{ code: 2593109, title: 'History sharing is turned off' }] };
    expect(said({ metadata, history: [declined] }, 'history')).toMatchObject([
      { kind: 'ignored', reason: expect.stringContaining('turned off') },
    ]);
  });

  it('takes names from the phone’s address book, and shows who wants no marketing', () => {
    const state = { type: 'contact', contact: { full_name: 'Ada Lovelace', phone_number: '16505551234' }, action: 'add' };
    expect(said({ metadata, state_sync: [state, { ...state, action: 'remove' }] }, 'smb_app_state_sync')).toMatchObject([
      { kind: 'contact', contact: { identities: [{ value: '+16505551234' }], name: 'Ada Lovelace' } },
    ]);
    const preference = { wa_id: '16505551234', category: 'marketing_messages', value: 'stop', timestamp: 1749416383 };
    expect(said({ metadata, user_preferences: [preference] }, 'user_preferences')).toMatchObject([
      { kind: 'message', content: { type: 'system', event: 'marketing_stopped' }, opensWindow: false, automatic: true },
    ]);
  });

  it('learns the user id of somebody whose number alone was known from a receipt', () => {
    const status = { id: 'wamid.1', status: 'delivered', timestamp: '1749416383', recipient_id: '16505551234' };
    const contacts = [{ wa_id: '16505551234', user_id: 'US.1' }];
    expect(said({ metadata, contacts, statuses: [status] })).toMatchObject([
      { kind: 'receipt', state: 'delivered' },
      { kind: 'contact', contact: { identities: [{ value: '+16505551234' }] }, adds: [{ kind: 'whatsappbsuid', value: 'US.1' }] },
    ]);
  });
});
