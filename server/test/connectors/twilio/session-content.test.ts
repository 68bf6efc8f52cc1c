/** Buttons, lists and cards of WhatsApp through Twilio: Content made within the session, and used again. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createTwilioSandbox, type TwilioSandbox } from '../../../../sandbox/twilio/index.ts';
import type { ChannelView, ConnectorContext } from '../../../src/connectors/connector.ts';
import { capabilitiesOf } from '../../../src/connectors/connector.ts';
import { twilioWhatsapp } from '../../../src/connectors/twilio/index.ts';
import type { Content } from '../../../src/model/content.ts';
import { problemsOf } from '../../../src/model/degrade.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { channelOf, contextOf } from '../../support/connector-context-twilio.ts';
import { nothingKnown } from '../../support/settling.ts';

const SID = `AC${'a'.repeat(32)}`;
const BUSINESS = 'whatsapp:+15551230002';
const CUSTOMER = '+15557770001';
const channel: ChannelView = channelOf({ sourceChannelId: BUSINESS });

let sandbox: TwilioSandbox;
let context: ConnectorContext;

beforeEach(async () => {
  sandbox = createTwilioSandbox({ accountSid: SID, authToken: 'secret', senders: ['+15551230002'] });
  const api = await sandbox.app.listen({ port: 0, host: '127.0.0.1' });
  context = contextOf({ TWILIO_API_URL: api, TWILIO_ACCOUNT_SID: SID, TWILIO_AUTH_TOKEN: 'secret', PUBLIC_URL: 'https://p.example' });
  await sandbox.customer.writes({ from: `whatsapp:${CUSTOMER}`, to: BUSINESS, body: 'hi' });
  return async () => {
    await sandbox.settled();
    await sandbox.app.close();
  };
});

async function send(content: Content) {
  const receipt = await twilioWhatsapp.send!({ id: uuidv7(), to: [{ kind: 'phonenumber', value: CUSTOMER }], content }, channel, context);
  const sent = sandbox.account.messages.find((message) => message.sid === receipt.providerId)!;
  await expect.poll(() => sent.status).toMatch(/delivered|failed/);
  return { ...receipt, sent };
}

const problems = (content: Content) =>
  problemsOf(content, capabilitiesOf(twilioWhatsapp, channel), { check: (own) => twilioWhatsapp.check!(own, channel) });

const choices: Content = {
  type: 'choices',
  header: 'Size',
  text: 'Which {{one}}?',
  footer: 'Until noon',
  choices: [
    { id: 's', title: 'Small' },
    { id: 'l', title: 'Large' },
  ],
};
const list: Extract<Content, { type: 'list' }> = {
  type: 'list',
  text: 'Where to?',
  button: 'Places',
  sections: [
    {
      title: 'Near',
      rows: [
        { id: '1', title: 'Pier', description: 'At the sea' },
        { id: '2', title: 'Park' },
      ],
    },
  ],
};
const card: Content = {
  type: 'cards',
  cards: [{ title: 'Chair', text: 'Oak', media: { id: 'm1' }, actions: [{ type: 'url', text: 'Buy', url: 'https://s.example/c' }] }],
};

describe('within the session', () => {
  it('choices are quick replies, a list is a list picker, a card is a card', async () => {
    for (const content of [choices, list, card]) {
      expect(problems(content)).toEqual([]);
      const { sent } = await send(content);
      expect([sent.status, sent.errorMessage]).toEqual(['delivered', null]);
    }
    expect(sandbox.account.contents.map(({ types }) => types)).toEqual([
      {
        'twilio/quick-reply': {
          body: 'Size\nWhich {\u2060{one}}?\nUntil noon',
          actions: [
            { type: 'QUICK_REPLY', title: 'Small', id: 's' },
            { type: 'QUICK_REPLY', title: 'Large', id: 'l' },
          ],
        },
      },
      {
        'twilio/list-picker': {
          body: 'Where to?\nNear',
          button: 'Places',
          items: [
            { id: '1', item: 'Pier', description: 'At the sea' },
            { id: '2', item: 'Park' },
          ],
        },
      },
      {
        'twilio/card': {
          title: 'Chair\nOak',
          media: ['https://p.example/media/m1'],
          actions: [{ type: 'URL', title: 'Buy', url: 'https://s.example/c' }],
        },
      },
    ]);
  });

  it('the same words use the same Content, which is no template of ours', async () => {
    const first = await send(choices);
    const second = await send(choices);
    expect(second.payload).toEqual(first.payload);
    expect(sandbox.account.contents).toHaveLength(1);
    expect(await twilioWhatsapp.templates!.list(channel, context)).toEqual([]);
  });

  it('one that was deleted at Twilio is made anew', async () => {
    await send(choices);
    sandbox.account.contents.length = 0;
    const { sent } = await send(choices);
    expect(sent.status).toBe('delivered');
    expect(sandbox.account.contents).toHaveLength(1);
    expect(sandbox.account.messages.filter(({ direction }) => direction === 'outbound-api')).toHaveLength(2);
  });

  it('goes as text where the Content API is not served', async () => {
    sandbox.faults.add({ kind: 'answer', status: 404, body: '', match: ({ path }) => path === '/v1/Content' });
    const { sent } = await send(choices);
    expect(sent.body).toBe('Size\nWhich {{one}}?\n1. Small\n2. Large\nUntil noon');
  });

  it('a lost answer is found again by its words', async () => {
    const message = { id: uuidv7(), to: [{ kind: 'phonenumber', value: CUSTOMER }], content: list };
    await send({ type: 'text', text: 'Where to?' });
    sandbox.faults.add({ kind: 'lost', match: ({ path }) => path.endsWith('/Messages.json') });
    await expect(twilioWhatsapp.send!(message, channel, context)).rejects.toMatchObject({ class: 'unknown-outcome' });
    expect(await twilioWhatsapp.settle!(message, channel, context, nothingKnown)).toMatchObject({ outcome: 'accepted' });
  });
});

describe('what needs an approved template', () => {
  it.each<[string, Content, string]>([
    ['four choices', { ...choices, choices: ['a', 'b', 'c', 'd'].map((id) => ({ id, title: id })) } as Content, 'at most 3'],
    ['two sections', { ...list, sections: [list.sections[0], { title: 'Far', rows: [] }] } as Content, 'at most 1'],
    ['a card that calls', { type: 'cards', cards: [{ title: 'x', actions: [{ type: 'call', text: 'Call', phone: '+491' }] }] }, 'one link'],
    ['a carousel', { type: 'cards', cards: [{ title: 'x' }, { title: 'y' }] }, 'at most 1'],
    ['a card without buttons', { type: 'cards', cards: [{ title: 'x', media: { id: 'm' } }] }, 'picture with a caption'],
    ['a text that is too long together', { ...choices, text: 'x'.repeat(1020) } as Content, 'at most 1024'],
    ['two files', { type: 'image', media: { id: 'a' }, more: [{ id: 'b' }] }, 'at most 1'],
  ])('%s: said before it is sent', (_what, content, words) => {
    expect(problems(content).join(' ')).toContain(words);
  });
});
