/** Provider channels in a browser: connected, seen to fail, repaired; templates and saved replies in the inbox. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMetaSandbox, type MetaSandbox } from '../../sandbox/meta/index.ts';
import { type RunningPatchbay, startPatchbay } from '../../server/test/support/patchbay.ts';
import { until } from '../../server/test/support/until.ts';
import { buildPages, hasBrowser, launchBrowser, openPage } from './support/browser.ts';
import { shoot } from './support/shots.ts';
import { World } from './support/world.ts';

const NUMBER = { id: '123456789', display_phone_number: '+33 6 12 34 56 78', verified_name: 'Green Garden' };
const TEMPLATES = [
  {
    name: 'parcel_sent',
    language: 'en',
    status: 'APPROVED',
    category: 'UTILITY',
    components: [
      { type: 'BODY', text: 'Hello {{1}}, your parcel {{2}} is on its way.' },
      { type: 'FOOTER', text: 'Green Garden' },
    ],
  },
  {
    name: 'summer_sale',
    language: 'en',
    status: 'REJECTED',
    rejected_reason: 'TAG_CONTENT_MISMATCH',
    components: [{ type: 'BODY', text: 'Sale!' }],
  },
];
const PICTURE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

describe.skipIf(!hasBrowser)('provider channels, in a browser', () => {
  let meta: MetaSandbox;
  let patchbay: RunningPatchbay;
  let live: World;
  let sandbox: World;
  let testKey: string;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[] = [];

  beforeAll(async () => {
    await buildPages();
    meta = createMetaSandbox({
      appId: 'app-1',
      appSecret: 'app-secret',
      tokens: [{ value: 'good-token' }, { value: 'newer-token' }],
      wabas: [{ id: '987654321', numbers: [NUMBER], templates: TEMPLATES }],
    });
    patchbay = await startPatchbay({
      LOG_LEVEL: 'warn',
      ALLOW_PRIVATE_NETWORK: '1',
      META_GRAPH_URL: await meta.app.listen({ port: 0, host: '127.0.0.1' }),
      META_APP_ID: 'app-1',
      META_APP_SECRET: 'app-secret',
      META_VERIFY_TOKEN: 'a-word-of-ours',
    });
    live = new World(patchbay);
    testKey = (await live.api('/api-keys', { body: { name: 'Sandbox', scopes: ['*'], sandbox: true } })).key;
    sandbox = new World({ ...patchbay, apiKey: testKey });
    browser = await launchBrowser();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await patchbay?.stop();
    await meta?.app.close();
  });

  beforeEach(async () => {
    complaints = [];
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  });
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });

  const signIn = async (key: string, path = '/') => {
    await context.request.post(`${patchbay.url}/session`, { data: { key }, headers: { origin: patchbay.url } });
    page = await openPage(context, patchbay.url + path, complaints);
  };
  const thread = () => page.getByRole('log', { name: 'Messages' });
  /** The one real channel; the others are the sandbox's. */
  const gardenId = async (): Promise<string> => {
    const { results } = await live.api('/channels/details?limit=100');
    return results.find(({ sandbox }: { sandbox: boolean }) => !sandbox).id;
  };
  const customerWrites = async (channelId: string, customer: string, text: string): Promise<string> => {
    await sandbox.api('/sandbox/customers/messages', { body: { channelId, customer, name: 'Ann Lee', message: { text } } });
    const found = await until(async () => (await sandbox.api(`/conversations?channelId=${channelId}`)).results[0], {
      what: 'the conversation',
    });
    return found.id;
  };

  it('connects WhatsApp, Messenger, SMS and a mailbox by their forms', async () => {
    const forms: [source: string, fields: Record<string, string>][] = [
      ['whatsapp', { 'Access token': 'any', 'WhatsApp business account ID': '5201', 'Phone number ID': '4201' }],
      ['facebook', { 'Page ID': '3201', 'Access token': 'any' }],
      ['twilio.sms', { 'Phone number': '+491234567' }],
    ];
    await signIn(testKey);
    for (const [source, fields] of forms) {
      await page.goto(`${patchbay.url}/channels/new/${source}`);
      for (const [label, value] of Object.entries(fields)) await page.getByLabel(new RegExp(`^${label}`)).fill(value);
      await shoot(page, `connect-${source}`);
      await page.getByRole('button', { name: 'Connect', exact: true }).click();
      await page.getByText(/ is connected$/).waitFor();
      await shoot(page, `channel-${source}`);
    }
    await page.goto(`${patchbay.url}/channels/new/email`);
    await page.getByLabel('Mail address').fill('help@garden.example');
    expect(await page.getByLabel('IMAP host').count()).toBe(0);
    await page.getByRole('combobox', { name: 'Provider' }).click();
    await page.getByRole('option', { name: /SMTP and IMAP/ }).click();
    await page.getByLabel('IMAP host').waitFor();
    await shoot(page, 'connect-email');
    await page.getByRole('combobox', { name: 'Provider' }).click();
    await page.getByRole('option', { name: 'The built-in mail server' }).click();
    await expect.poll(() => page.getByLabel('IMAP host').count()).toBe(0);
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByRole('heading', { name: 'help@garden.example' }).waitFor();
    await shoot(page, 'channel-email');
    const { results } = await sandbox.api('/channels?limit=100');
    expect(results.map(({ platformId }: { platformId: string }) => platformId).sort()).toEqual(['email', 'facebook', 'sms', 'whatsapp']);
  }, 120_000);

  it('says why a channel failed and what to do, and takes a new token that keeps it', async () => {
    await signIn(patchbay.apiKey!, '/channels/new/whatsapp');
    await page.getByLabel('Access token', { exact: true }).fill('good-token');
    await page.getByLabel('WhatsApp business account ID').fill('987654321');
    await page.getByLabel('Phone number ID').fill(NUMBER.id);
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByText(/ is connected$/).waitFor();
    await page.getByText('a-word-of-ours').waitFor();
    await page.getByText('/hooks/meta').waitFor();
    const id = await gardenId();
    for (const token of meta.state.tokens.values()) token.valid = token.value === 'newer-token';
    await page.getByRole('button', { name: 'Check now' }).click();
    await expect.poll(async () => (await live.api(`/channels/${id}/details`)).status, { timeout: 10_000 }).toBe('failed');
    await page.getByText('Does not work').first().waitFor();
    await page.getByText(/Replace its credentials below/).waitFor();
    await shoot(page, 'channel-failed');
    const token = page.getByLabel('Access token', { exact: true });
    await token.fill('nonsense');
    await page.getByRole('button', { name: 'Replace', exact: true }).click();
    await page.getByText(/token/i).first().waitFor();
    await expect.poll(async () => (await live.api(`/channels/${id}/details`)).status).toBe('failed');
    await token.fill('newer-token');
    await page.getByRole('button', { name: 'Replace', exact: true }).click();
    await page.getByText('Connected', { exact: true }).first().waitFor();
    expect(await gardenId()).toBe(id);

    await page.getByRole('tab', { name: 'Templates' }).click();
    await page.getByRole('button', { name: 'Sync' }).click();
    await page.getByText('2 at the provider').waitFor();
    await page.getByText('Refused: Tag content mismatch').waitFor();
    await page.getByRole('button', { name: 'Preview parcel_sent' }).click();
    await page.getByRole('dialog').getByLabel('{{1}}').fill('Ann');
    await page.getByRole('dialog').getByText('Hello Ann').waitFor();
    await page.keyboard.press('Escape');
    await shoot(page, 'templates');
    await page.getByRole('button', { name: 'New template' }).click();
    await page.getByLabel('Name').fill('thank_you');
    await page.getByRole('textbox', { name: 'Text' }).fill('Thank you, {{1}}!');
    await shoot(page, 'template-new');
    await page.getByRole('button', { name: 'Submit for approval' }).click();
    await page.getByText('thank_you').waitFor();
    await page.getByRole('tab', { name: 'Opt-outs' }).click();
    await page.getByText('Nobody so far.').waitFor();
  }, 120_000);

  it('offers templates when the time for free answers is over, with a form and a preview', async () => {
    const channelId = await gardenId();
    const template = { name: 'parcel_sent', locale: 'en', variables: { 1: 'Ben', 2: 'A1' } };
    const sent = await live.api(`/channels/${channelId}/messages`, {
      body: { receiver: { contacts: [{ identifierKey: 'phonenumber', identifierValue: '+491701112233' }] }, template },
    });
    await signIn(patchbay.apiKey!, `/inbox/${sent.conversationId}`);
    await page.getByText('The time for free answers is over.').waitFor();
    await shoot(page, 'window-closed');
    await page.getByRole('button', { name: 'Send a template' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: /parcel_sent/ }).click();
    expect(await dialog.getByText('summer_sale').count()).toBe(0);
    await dialog.getByRole('button', { name: 'Send the template' }).click();
    await dialog.getByText('This is needed.').first().waitFor();
    await dialog.getByLabel('{{1}}').fill('Ann');
    await dialog.getByLabel('{{2}}').fill('B7');
    await dialog.getByText('Hello Ann, your parcel B7 is on its way.').waitFor();
    await shoot(page, 'template-picker');
    await dialog.getByRole('button', { name: 'Send the template' }).click();
    await thread().getByText('Hello Ann, your parcel B7 is on its way.').waitFor();
    await expect.poll(async () => (await live.api(`/conversations/${sent.conversationId}/messages`)).results[0].state).not.toBe('pending');
  }, 120_000);

  it('keeps saved replies, and fills them in where / is written', async () => {
    const channel = await sandbox.api('/channels', {
      body: { source: 'whatsapp', input: { phone_number_id: '4301', business_account_id: '5301', user_token: 'any' } },
    });
    const conversation = await customerWrites(channel.id, '+491701234567', 'When do you open?');
    await signIn(testKey, '/replies');
    await page.getByText('No saved reply yet').waitFor();
    await page.getByRole('button', { name: 'New reply' }).first().click();
    await page.getByLabel('Title').fill('Opening hours');
    await page.getByRole('textbox', { name: 'Text' }).fill('Hello {{contact_first_name}}, we open at nine. {{branch}}');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Opening hours').waitFor();
    await shoot(page, 'replies');
    await page.goto(`${patchbay.url}/inbox/${conversation}`);
    await page.getByLabel('Reply').fill('/open');
    await page.getByRole('option', { name: /Opening hours/ }).waitFor();
    await page.getByText('Hello Ann, we open at nine. {{branch}}').waitFor();
    await shoot(page, 'reply-picker');
    await page.getByLabel('Reply').press('Enter');
    await expect.poll(() => page.getByLabel('Reply').inputValue()).toBe('Hello Ann, we open at nine. {{branch}}');
    await page.getByText('Not known here, fill in yourself: {{branch}}').waitFor();
    await page.getByLabel('Reply').fill('Hello Ann, we open at nine.');
    await page.getByLabel('Reply').press('Enter');
    await thread().getByText('Hello Ann, we open at nine.').waitFor();
    await page.getByText(/You can answer freely for another/).waitFor();
    await thread().getByText('When do you open?').hover();
    await page.getByRole('button', { name: 'React to this message' }).click();
    await page.getByRole('button', { name: '👍' }).click();
    await page.getByRole('img', { name: 'Your reaction: 👍' }).waitFor();
    await shoot(page, 'conversation');
  }, 120_000);

  it('counts the parts of an SMS while one writes', async () => {
    const [channel] = (await sandbox.api('/channels?platform=sms')).results;
    const conversation = await customerWrites(channel.id, '+15557770009', 'Hello');
    await signIn(testKey, `/inbox/${conversation}`);
    await page.getByLabel('Reply').fill('x'.repeat(161));
    await page.getByText('2 parts').waitFor();
    await shoot(page, 'sms');
  });

  it('writes first by number: a text, and a template where nothing else may go first', async () => {
    await signIn(testKey, '/inbox');
    await page.getByRole('heading', { name: 'Inbox' }).waitFor();
    const dialog = page.getByRole('dialog');
    const from = async (channel: RegExp) => {
      await page.keyboard.press('c');
      await dialog.getByRole('combobox', { name: 'From' }).click();
      await page.getByRole('option', { name: channel }).click();
    };
    await from(/\+491234567/);
    await dialog.getByLabel(/^Phone number/).fill('12');
    await dialog.getByRole('textbox', { name: 'Text' }).fill('Your order is ready.');
    await dialog.getByRole('button', { name: 'Send', exact: true }).click();
    await dialog.getByText(/is no phone number/).waitFor();
    await dialog.getByLabel(/^Phone number/).fill('+49 170 5550001');
    await shoot(page, 'new-message');
    await dialog.getByRole('button', { name: 'Send', exact: true }).click();
    await thread().getByText('Your order is ready.').waitFor();
    await from(/\(4201\)/);
    await dialog.getByLabel(/^Phone number/).fill('+49 170 5550002');
    await dialog.getByRole('button', { name: /hello_world/ }).click();
    await dialog.getByRole('button', { name: 'Send the template' }).click();
    await thread().getByText('Hello World').waitFor();
  }, 120_000);

  it('leads everywhere with one key, and on a phone behind More', async () => {
    await signIn(testKey, '/inbox');
    await page.getByRole('heading', { name: 'Inbox' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Go anywhere' }).fill('webh');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Webhooks' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Go anywhere' }).fill('Ann');
    await page
      .getByRole('option', { name: /^Ann Lee/ })
      .first()
      .waitFor();
    await shoot(page, 'command-bar');
    await page
      .getByRole('option', { name: /^Ann Lee/ })
      .first()
      .click();
    await thread().waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByRole('link', { name: 'Back to the list' }).click();
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Numbers' }).click();
    await page.getByRole('heading', { name: 'Phone numbers' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  }, 120_000);

  it('shows the DNS records of a mail domain, and whether they are there', async () => {
    await signIn(testKey, '/domains');
    await page.getByRole('button', { name: 'Add a domain' }).first().click();
    await page.getByRole('textbox', { name: 'Domain' }).fill('not a domain');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('is not a domain name').waitFor();
    await page.getByRole('textbox', { name: 'Domain' }).fill('garden.example');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('heading', { name: 'garden.example' }).waitFor();
    await page.getByRole('button', { name: 'Copy: DKIM value' }).waitFor();
    await page.getByRole('button', { name: 'Check again' }).click();
    await page.getByText(/^checked /).waitFor({ timeout: 20_000 });
    await shoot(page, 'domains');
  }, 120_000);

  it('says why a file is not here, and fetches it again', async () => {
    await gardenId();
    meta.pointTo(`${patchbay.url}/hooks/meta`);
    const gone = meta.state.store(PICTURE, 'image/png');
    meta.state.media.delete(gone.id);
    const customer = meta.whatsappCustomer(NUMBER.id, { phone: '491709998877', name: 'Paula' });
    customer.write({ type: 'image', image: { id: gone.id, mime_type: 'image/png' } });
    await signIn(patchbay.apiKey!);
    await page.getByRole('link').filter({ hasText: 'Paula' }).click();
    await thread().getByText('could not be fetched').waitFor();
    await shoot(page, 'missing-file');
    meta.state.media.set(gone.id, gone);
    await thread().getByRole('button', { name: 'Fetch again' }).click();
    await thread().getByRole('img', { name: 'A picture' }).waitFor();
  });

  it('says when there is no such channel', async () => {
    await signIn(testKey, '/channels/nowhere');
    await page.getByText('There is no such channel').waitFor();
    await page.goto(`${patchbay.url}/channels/018f6b1e-7c1a-7d20-9c3b-5a4f1f0e9a11`);
    await page.getByText('There is no such channel').waitFor();
  });
});
