/** The control center in a browser: webhooks, phone numbers, and channels whose access was lost and is repaired. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGmailSandbox, type GmailSandbox } from '../../sandbox/email/gmail.ts';
import { createMicrosoftSandbox, type MicrosoftSandbox } from '../../sandbox/email/microsoft.ts';
import { createTwilioSandbox, type TwilioSandbox } from '../../sandbox/twilio/index.ts';
import { mail } from '../../server/test/connectors/email/mail.ts';
import { type RunningPatchbay, startPatchbay } from '../../server/test/support/patchbay.ts';
import { freePort, until } from '../../server/test/support/until.ts';
import { buildPages, hasBrowser, launchBrowser, openPage } from './support/browser.ts';
import { shoot } from './support/shots.ts';
import { World } from './support/world.ts';

const SID = `AC${'1'.repeat(32)}`;
const MAILBOX = 'shop@gmail.example';
const OFFICE = 'shop@office.example';

describe.skipIf(!hasBrowser)('the control center, in a browser', () => {
  let twilio: TwilioSandbox;
  let gmail: GmailSandbox;
  let microsoft: MicrosoftSandbox;
  let subscriber: Server;
  const heard: { headers: Record<string, string>; body: string }[] = [];
  let answer = 200;
  let hook: string;
  let patchbay: RunningPatchbay;
  let base: string;
  let world: World;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[] = [];

  beforeAll(async () => {
    await buildPages();
    twilio = createTwilioSandbox({ accountSid: SID, authToken: 'first-token', numbers: ['+15550001111', '+15550002222'] });
    gmail = await createGmailSandbox({ address: MAILBOX, clientId: 'client', clientSecret: 'secret' });
    microsoft = createMicrosoftSandbox();
    microsoft.addUser(OFFICE);
    subscriber = createServer((request, response) => {
      let body = '';
      request.on('data', (piece) => {
        body += piece;
      });
      request.on('end', () => {
        heard.push({ headers: request.headers as Record<string, string>, body });
        response.writeHead(answer).end();
      });
    });
    await new Promise<void>((ready) => subscriber.listen(0, '127.0.0.1', ready));
    hook = `http://127.0.0.1:${(subscriber.address() as AddressInfo).port}/hook`;
    const google = await gmail.app.listen({ port: 0, host: '127.0.0.1' });
    const office = await microsoft.app.listen({ port: 0, host: '127.0.0.1' });
    const port = await freePort();
    // People come back from a provider's sign-in to this address, so they begin there too.
    base = `http://localhost:${port}`;
    patchbay = await startPatchbay({
      PORT: String(port),
      PUBLIC_URL: base,
      LOG_LEVEL: 'error',
      ALLOW_PRIVATE_NETWORK: '1',
      TWILIO_API_URL: await twilio.app.listen({ port: 0, host: '127.0.0.1' }),
      GOOGLE_OAUTH_URL: google,
      GMAIL_API_URL: google,
      MICROSOFT_LOGIN_URL: office,
      MICROSOFT_GRAPH_URL: office,
      GOOGLE_CLIENT_ID: 'client',
      GOOGLE_CLIENT_SECRET: 'secret',
    });
    world = new World(patchbay);
    browser = await launchBrowser();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await patchbay?.stop();
    await Promise.all([twilio, gmail, microsoft].map((standIn) => standIn?.app.close()));
    subscriber?.close();
  });

  beforeEach(async () => {
    complaints = [];
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    await context.request.post(`${base}/session`, { data: { key: patchbay.apiKey }, headers: { origin: base } });
    page = await openPage(context, base, complaints);
  });
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });

  it('makes a webhook, shows its key once, tests it, shows what was answered, and posts again', async () => {
    await page.goto(`${base}/webhooks`);
    await page.getByText('No webhook yet').waitFor();
    await page.getByRole('button', { name: 'New webhook' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Address').fill('nonsense');
    await dialog.getByRole('combobox', { name: 'Events' }).fill('Live chat: a message came');
    await page.getByRole('option', { name: 'Live chat: a message came in' }).click();
    await dialog.getByRole('combobox', { name: 'Events' }).fill('A conversation began');
    await page.getByRole('option', { name: 'A conversation began' }).click();
    await dialog.getByLabel('Address').fill(hook);
    await shoot(page, 'webhook-new');
    await dialog.getByRole('button', { name: 'Make it' }).click();
    const key = (await dialog.getByText(/^whsec_/).textContent())!;
    await dialog.getByRole('button', { name: 'I have it' }).click();
    expect(await page.getByText(key).count()).toBe(0);
    await page.getByRole('link', { name: /A conversation began/ }).waitFor();
    await page.getByRole('link', { name: /Live chat: a message came in/ }).click();

    answer = 500;
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('answered 500').first().waitFor();
    const { headers, body } = heard[0]!;
    expect(new Webhook(key).verify(body, headers)).toMatchObject({ event: 'chatplugin.inbound' });
    answer = 200;
    await shoot(page, 'webhook');
    await page
      .getByRole('row', { name: /answered 500/ })
      .getByRole('button', { name: 'Look' })
      .click();
    const drawer = page.getByRole('dialog', { name: 'Delivery' });
    await drawer.getByText('"event": "chatplugin.inbound"').waitFor();
    // It is tried again by itself, and can be posted once more when it arrived.
    await drawer.getByText('Arrived').waitFor({ timeout: 60_000 });
    await drawer.getByRole('button', { name: 'Post again' }).click();
    await expect.poll(() => heard.length).toBeGreaterThanOrEqual(3);
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('It is paused').waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Webhooks' }).waitFor();
    await expect.poll(async () => (await world.api('/webhook-subscriptions')).results.length).toBe(1);
  }, 120_000);

  it('takes numbers over, buys one, opens the channel that it made, and gives it back', async () => {
    await page.goto(`${base}/numbers`);
    await page.getByText('No phone number yet').waitFor();
    await page.getByRole('button', { name: 'Take over mine' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Take over', exact: true }).click();
    // No account is there: the setting is named, and so is the other way.
    await dialog.getByText(/TWILIO_ACCOUNT_SID.*add a Twilio account/).waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();

    await page.getByRole('button', { name: 'Add a Twilio account' }).click();
    await dialog.getByLabel('Account SID').fill(SID);
    await dialog.getByLabel(/^Auth token/).fill('wrong');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog.getByText('Not added').waitFor();
    await dialog.getByLabel(/^Auth token/).fill('first-token');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await page.getByRole('button', { name: 'New keys for Twilio' }).waitFor();

    await page.getByRole('button', { name: 'Take over mine' }).click();
    await dialog.getByRole('combobox', { name: 'Account' }).click();
    await page.getByRole('option', { name: 'Twilio' }).click();
    await dialog.getByRole('button', { name: 'Take over', exact: true }).click();
    await dialog.getByText('Taken over: +15550001111, +15550002222.').waitFor();
    await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();

    await page.getByRole('button', { name: 'Buy a number' }).click();
    await dialog.getByRole('combobox', { name: 'Account' }).click();
    await page.getByRole('option', { name: 'Twilio' }).click();
    await dialog.getByLabel('Area code').fill('312');
    await dialog.getByRole('button', { name: 'Search' }).click();
    const buy = dialog.getByRole('button', { name: /^Buy \+1/ }).first();
    const number = /\+\d+/.exec((await buy.getAttribute('aria-label'))!)![0];
    await buy.click();
    expect(twilio.account.numbers.some(({ phone_number }) => phone_number === number)).toBe(false);
    await shoot(page, 'number-buy');
    await dialog.getByRole('button', { name: `Really buy ${number}` }).click();
    const row = page.getByRole('listitem').filter({ hasText: number });
    await row.getByRole('link', { name: 'Its channel' }).waitFor();
    await shoot(page, 'numbers');
    await row.getByRole('button', { name: `Remove ${number}` }).click();
    await dialog.getByLabel('Also give it back to Twilio').check();
    await dialog.getByRole('button', { name: 'Give it back' }).click();
    await expect.poll(() => row.count()).toBe(0);
    expect(twilio.account.numbers.some(({ phone_number }) => phone_number === number)).toBe(false);

    await page.getByRole('listitem').filter({ hasText: '+15550001111' }).getByRole('link', { name: 'Its channel' }).click();
    await page.getByRole('heading', { name: 'SMS - (555) 000-1111' }).waitFor();
  }, 120_000);

  it('says that Twilio refuses the token, and goes on with a new one', async () => {
    const { results } = await world.api('/channels?platform=sms&search=555&limit=10');
    const { id } = results.find(({ identifier }: { identifier: string }) => identifier === '+15550001111');
    twilio.account.authToken = 'second-token';
    await page.goto(`${base}/channels/${id}`);
    await page.getByRole('button', { name: 'Check now' }).click();
    await page.getByText('Does not work').first().waitFor();
    await page.getByText(/Replace its credentials below/).waitFor();
    await page.getByLabel('Auth token', { exact: true }).fill('second-token');
    await page.getByRole('button', { name: 'Replace', exact: true }).click();
    await expect.poll(async () => (await world.api(`/channels/${id}/details`)).status).not.toBe('failed');
    await expect.poll(() => page.getByText('Does not work').count()).toBe(0);
  }, 120_000);

  it('leads to Google for a mailbox, says when the grant was taken back, and is granted anew', async () => {
    await page.goto(`${base}/channels/new/email`);
    await page.getByLabel('Mail address').fill(MAILBOX);
    await page.getByRole('combobox', { name: 'Provider' }).click();
    await page.getByRole('option', { name: 'Gmail' }).click();
    // The guide beside the form is the chosen provider's.
    await page
      .getByRole('complementary', { name: 'Guide' })
      .getByText(/Google Cloud/)
      .first()
      .waitFor();
    await shoot(page, 'connect-gmail');
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByRole('button', { name: 'Grant access' }).click();
    await page.getByText('Access was granted').waitFor();
    const { results } = await world.api('/channels?platform=email&limit=10');
    const id = results[0].id;
    await expect.poll(async () => (await world.api(`/channels/${id}/details`)).status).toBe('active');

    gmail.revokeConsent();
    gmail.expireTokens();
    await isRepaired(id, 'channel-grant-lost', () => gmail.receive(mail({ To: MAILBOX, Subject: 'Written meanwhile, to Gmail' })));
    await until(async () => (await subjects()).includes('Written meanwhile, to Gmail'), { what: 'the mail that came meanwhile' });
  }, 120_000);

  it('says when Microsoft’s grant was taken back, is granted anew by one click, and has what was written meanwhile', async () => {
    const app = { client_id: 'sandbox-client', tenant_id: 'sandbox-tenant', client_secret: 'sandbox-secret' };
    const { id } = await world.api('/channels', {
      body: {
        source: 'email',
        name: 'Office',
        input: { email: OFFICE, provider: 'microsoft', ...app, refresh_token: microsoft.grant() },
      },
    });
    await microsoft.receive(OFFICE, mail({ To: OFFICE, Subject: 'Written before', 'Message-ID': '<before@office.example>' }));
    await until(async () => (await subjects()).includes('Written before'), { what: 'the first mail' });
    await page.goto(`${base}/channels/${id}`);
    microsoft.revokeConsent();
    await isRepaired(id, 'channel-grant-lost-microsoft', () =>
      microsoft.receive(OFFICE, mail({ To: OFFICE, Subject: 'Written meanwhile', 'Message-ID': '<meanwhile@office.example>' })),
    );
    await until(async () => (await subjects()).includes('Written meanwhile'), { what: 'the mail that came meanwhile' });
  }, 120_000);

  const subjects = async (): Promise<string[]> =>
    (await world.api('/conversations?limit=50')).results.map(({ subject }: { subject: string }) => subject);

  /** On a channel's page: its grant is gone, something is written, and one click sets it right. */
  async function isRepaired(id: string, shot: string, meanwhile: () => Promise<unknown>): Promise<void> {
    await page.getByRole('button', { name: 'Check now' }).click();
    await page.getByText('Does not work', { exact: true }).first().waitFor();
    await page.getByText(/expired or (was )?revoked.*grant access again/i).waitFor();
    expect(await page.getByText('Access was granted').count()).toBe(0);
    await shoot(page, shot);
    await meanwhile();
    await page.getByRole('button', { name: 'Grant access' }).click();
    await page.getByText('Access was granted').waitFor();
    await until(async () => (await world.api(`/channels/${id}/details`)).status === 'active', { what: 'the repaired mailbox' });
    await page.getByText('Connected', { exact: true }).first().waitFor();
  }
});
