/** R2 for RCS and Business Messages: whatever Google does, a message ends as sent once, or as failed with a reason. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createGoogleSandbox, type GoogleSandbox } from '../../../sandbox/google/index.ts';
import type { SendRequest } from '../../src/engine/send.ts';
import type { ChannelRow } from '../../src/store/channels.ts';
import { hookedEngine } from '../support/hooked-engine.ts';
import { until } from '../support/until.ts';

const AGENT = 'shop_agent';
const PHONE = '+14155550100';
let google!: GoogleSandbox;
const { engine, workspaceId, rows, send, message, reaches, conversationOn } = await hookedEngine(async (url) => {
  google = createGoogleSandbox({ webhookUrl: `${url}/hooks/google`, partnerKey: 'partner', agents: { [AGENT]: { clientToken: 'token' } } });
  const base = await google.app.listen({ port: 0, host: '127.0.0.1' });
  return {
    GOOGLE_RCS_URL: base,
    GOOGLE_BUSINESS_MESSAGES_URL: base,
    GOOGLE_PARTNER_KEY: 'partner',
    GOOGLE_SERVICE_ACCOUNT: google.serviceAccount(base),
  };
});
afterAll(() => google.app.close());
beforeEach(() => google.faults.clear());

const connect = (source: string, input: Record<string, unknown>) =>
  engine.channels.connect({ workspaceId, source, input, sandbox: false, existing: 'reuse' });
const rcs = await connect('rcs', { agent_id: AGENT, client_token: 'token' });
const maps = await connect('google', { gbm_id: 'gbm-id' });
expect(await google.rcs(AGENT, { senderPhoneNumber: PHONE, messageId: 'hello', text: 'Hello' })).toBe(200);
const gbm = { agent: 'brands/1/agents/gbm-id', conversationId: 'conv-1' };
expect(await google.businessMessages({ ...gbm, message: { messageId: 'hello', text: 'Hello' } })).toBe(200);

const said = (text: string) =>
  [...google.messages.map(({ body }) => body.contentMessage.text), ...google.conversations.get('conv-1')!.map((body) => body.text)].filter(
    (one) => one === text,
  ).length;
const aMessage = ({ method, path }: { method: string; path: string }) => method === 'POST' && /[mM]essages$/.test(path);
const refusal = (code: number, status: string) => ({ error: { code, status, message: `no: ${status}` } });

const sources: [string, ChannelRow, 'rcs' | 'google'][] = [
  ['RCS', rcs, 'rcs'],
  ['Business Messages', maps, 'google'],
];
describe.each(sources)('%s', (title, channel) => {
  let to: SendRequest['to'];
  beforeEach(async () => {
    to = await conversationOn(channel);
  });

  it.each([
    ['is down', { kind: 'down' }],
    ['answers after all, but not to us', { kind: 'lost' }],
    ['has an error', { kind: 'answer', status: 500, body: refusal(500, 'INTERNAL') }],
    ['asks to go slower', { kind: 'answer', status: 429, body: refusal(429, 'RESOURCE_EXHAUSTED'), headers: { 'retry-after': '1' } }],
  ] as const)('Google %s: sent once', async (what, fault) => {
    google.faults.add({ ...fault, match: aMessage });
    const text = `${title} ${what}`;
    const { id } = await send(to, text);
    await reaches(id, 'sent');
    expect(said(text)).toBe(1);
  });

  it('a service account that Google refuses stops the channel; messages go on when it is let in again', async () => {
    google.faults.add({ kind: 'answer', status: 403, body: refusal(403, 'PERMISSION_DENIED'), match: aMessage });
    const { id } = await send(to, `${title} waits`);
    const broken = await until(async () => {
      const row = await engine.channels.get(workspaceId, channel.id);
      return row.status === 'failed' && row;
    });
    expect(broken.statusReason).toContain('PERMISSION_DENIED');
    expect((await message(id)).state).toBe('pending');
    await rows('update channels set paused_until = now() where id = $1', [channel.id]);
    engine.outbox.wake();
    await reaches(id, 'sent');
    expect(said(`${title} waits`)).toBe(1);
  });

  it('what Google does not take fails with its words', async () => {
    google.faults.add({ kind: 'answer', status: 400, body: refusal(400, 'INVALID_ARGUMENT'), match: aMessage });
    const { id } = await send(to, `${title} refused`);
    expect((await reaches(id, 'failed')).error).toMatchObject({ class: 'rejected', message: 'no: INVALID_ARGUMENT' });
  });
});

it('receipts move an RCS message on, late ones do not move it back', async () => {
  const { id } = await send(await conversationOn(rcs), 'Seen?');
  await reaches(id, 'sent');
  for (const eventType of ['READ', 'DELIVERED', 'READ']) {
    expect(await google.rcs(AGENT, { senderPhoneNumber: PHONE, eventType, eventId: eventType, messageId: id })).toBe(200);
  }
  expect((await reaches(id, 'read')).error).toBeNull();
});

it('who unsubscribes is not written to, until they subscribe again', async () => {
  const to = await conversationOn(rcs);
  await google.rcs(AGENT, { senderPhoneNumber: PHONE, eventType: 'UNSUBSCRIBE', eventId: 'u' });
  await expect(send(to, 'Still there?')).rejects.toMatchObject({ code: 'opted-out' });
  await google.rcs(AGENT, { senderPhoneNumber: PHONE, eventType: 'SUBSCRIBE', eventId: 's' });
  await reaches((await send(to, 'Welcome back')).id, 'sent');
});

it('a picture with a caption and buttons with a picture become cards, when that is wanted', async () => {
  const to = await conversationOn(rcs);
  const picture = { url: 'https://shop.example/c.jpg', mimeType: 'image/jpeg' };
  const image = { type: 'image' as const, media: picture, caption: 'The chair' };
  await expect(send(to, image)).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('no caption') });
  await reaches((await send(to, image, { degrade: 'degrade' })).id, 'sent');
  expect(google.messages.at(-1)!.body.contentMessage.richCard.standaloneCard.cardContent).toMatchObject({ description: 'The chair' });
  const buttons = { type: 'choices' as const, text: 'This one?', media: picture, choices: [{ id: 'y', title: 'Yes' }] };
  await reaches((await send(to, buttons)).id, 'sent');
  expect(google.messages.at(-1)!.body.contentMessage).toMatchObject({
    richCard: { standaloneCard: { cardContent: { description: 'This one?', media: { contentInfo: { fileUrl: picture.url } } } } },
    suggestions: [{ reply: { text: 'Yes', postbackData: 'y' } }],
  });
});
