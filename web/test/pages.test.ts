import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Content } from '../../server/src/model/content.ts';
import { type RunningPatchbay, startPatchbay } from '../../server/test/support/patchbay.ts';
import { until } from '../../server/test/support/until.ts';
import { buildPages, hasBrowser, launchBrowser, openPage } from './support/browser.ts';
import { World } from './support/world.ts';

/** One of every kind of content, newest first. */
const KINDS: Content[] = [
  { type: 'text', text: 'the newest' },
  { type: 'reply', via: 'button', title: 'Chosen one', payload: '1' },
  { type: 'location', latitude: 52.5, longitude: 13.4, name: 'Berlin office' },
  { type: 'contacts', contacts: [{ name: 'Karl the neighbour', phones: ['+4930123456'] }] },
  { type: 'choices', text: 'When?', choices: [{ id: '1', title: 'Morning' }] },
  { type: 'list', text: 'Choose', button: 'See the menu', sections: [{ rows: [{ id: '1', title: 'Soup' }] }] },
  { type: 'cards', cards: [{ title: 'A green plant', actions: [{ type: 'url', text: 'Open', url: 'https://example.com' }] }] },
  { type: 'template', name: 'parcel', language: 'en', components: [], preview: 'Your parcel is on its way' },
  { type: 'order', items: [{ productId: 'Plant pot', quantity: 2, price: 12, currency: 'EUR' }] },
  { type: 'system', text: 'The chat was taken up again' },
  { type: 'unsupported', kind: 'poll' },
  { type: 'file', media: { url: '/nowhere', filename: 'plan.pdf' } },
  { type: 'image', media: {} },
  { type: 'native', payload: {}, text: 'a native text' },
  {
    type: 'email',
    subject: 'Re: order',
    text: 'The signed form. On Monday you wrote',
    reply: 'The signed form.',
    html: '<p onclick="x()">The <b>signed form</b></p><script>parent.document.title="hacked"</script><form></form><img src="https://tracker.example/x.gif" onerror="parent.document.title=\'hacked\'">',
  },
];

describe.skipIf(!hasBrowser)('the pages, in a browser', () => {
  let patchbay: RunningPatchbay;
  let world: World;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[] = [];

  beforeAll(async () => {
    await buildPages();
    patchbay = await startPatchbay({ LOG_LEVEL: 'warn' });
    world = new World(patchbay);
    browser = await launchBrowser();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await patchbay?.stop();
  });

  const size = { width: 1440, height: 900 };
  beforeEach(async () => {
    complaints = [];
    context = await browser.newContext({ viewport: size });
    await context.request.post(`${patchbay.url}/session`, { data: { key: patchbay.apiKey }, headers: { origin: patchbay.url } });
    page = await openPage(context, `${patchbay.url}/`, complaints);
  });
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });

  const liveChat = async (name: string): Promise<string> =>
    (await world.api('/channels', { body: { source: 'chatplugin', input: { name } } })).id;
  const conversationOf = async (channelId: string) =>
    until(async () => (await world.api(`/conversations?channelId=${channelId}`)).results[0], { what: 'the conversation' });
  const messagesOf = async (conversationId: string): Promise<{ content: { text: string }; direction: string }[]> =>
    (await world.api(`/conversations/${conversationId}/messages?limit=100`)).results;
  const row = (text: string) => page.getByRole('region', { name: 'Conversations' }).getByRole('link').filter({ hasText: text });
  const thread = () => page.getByRole('log', { name: 'Messages' });

  it('lets in whoever has a key, and says what is wrong with another', async () => {
    await context.clearCookies();
    await page.reload();
    await page.getByLabel('API key').fill('ak_live_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('there is no such key').waitFor();
    await page.getByLabel('API key').fill(patchbay.apiKey!);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Connect your first channel').waitFor();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to Patchbay' }).waitFor();
  });

  it('connects a live chat by the form that its connector declares', async () => {
    await page.getByRole('link', { name: 'Channels' }).click();
    await page.getByRole('link', { name: 'Connect a channel' }).click();
    await page.getByRole('link', { name: /Live chat/ }).click();
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByText('This is needed.').waitFor();
    await expect.poll(() => page.getByLabel('Name').evaluate((field) => field === document.activeElement)).toBe(true);
    await page.getByLabel('Name').fill('website-1');
    await page.getByRole('combobox', { name: 'Allowed origins' }).fill('nonsense');
    await page.getByRole('combobox', { name: 'Allowed origins' }).press('Enter');
    await page.getByRole('button', { name: 'Connect' }).click();
    // The server's refusal stands at its field.
    await expect.poll(() => page.getByRole('combobox', { name: 'Allowed origins' }).getAttribute('aria-invalid')).toBe('true');
    await page.getByRole('combobox', { name: 'Allowed origins' }).press('Backspace');
    await page.getByText('Look and texts').click();
    await page.getByLabel('Header', { exact: true }).fill('Ask us anything at all');
    await page.frameLocator('iframe[title="Preview of the chat"]').getByText('Ask us anything at all').first().waitFor();
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByText('website-1 is connected').waitFor();
    const { results } = await world.api('/channels');
    await page.getByText(`data-channel-id="${results[0].id}"`).waitFor();
    expect((await world.api(`/channels/${results[0].id}/details`)).settings.config.headerText).toBe('Ask us anything at all');
  });

  it('shows what a visitor writes as it comes, marks it read, and sends the answer once', async () => {
    const channelId = await liveChat('live');
    const write = await world.visitor(channelId);
    await page.getByRole('heading', { name: 'Inbox' }).waitFor();
    await write('Is anybody there?');
    await row('Is anybody there?').click();
    await thread().getByText('Is anybody there?').waitFor();
    const { id } = await conversationOf(channelId);
    await expect.poll(async () => (await world.api(`/conversations/${id}`)).unreadCount).toBe(0);
    await page.getByLabel('Reply').fill('Yes, how can I help?');
    await page.getByLabel('Reply').press('Enter');
    await thread().getByText('Yes, how can I help?').waitFor();
    await expect
      .poll(async () => (await messagesOf(id)).map(({ content }) => content.text))
      .toEqual(['Yes, how can I help?', 'Is anybody there?']);
    expect(await thread().getByText('Yes, how can I help?').count()).toBe(1);
    await write('My order is late');
    await thread().getByText('My order is late').waitFor();
  });

  it('misses nothing and doubles nothing over a lost connection, and sends then what was written meanwhile', async () => {
    const channelId = await liveChat('offline');
    const write = await world.visitor(channelId);
    await write('before');
    await row('before').click();
    await thread().getByText('before').waitFor();
    await context.setOffline(true);
    await page.getByLabel('Reply').fill('written offline');
    await page.getByLabel('Reply').press('Enter');
    await page.getByText('Waits for a connection').waitFor();
    await page.getByText('No connection to Patchbay.').waitFor();
    for (const n of [1, 2, 3]) await write(`meanwhile ${n}`);
    await context.setOffline(false);
    await thread().getByText('meanwhile 3').waitFor();
    const { id } = await conversationOf(channelId);
    await expect
      .poll(async () => (await messagesOf(id)).filter(({ direction }) => direction === 'outgoing').length, { timeout: 15_000 })
      .toBe(1);
    await expect.poll(() => page.getByText('Waits for a connection').count()).toBe(0);
    for (const text of ['meanwhile 1', 'meanwhile 2', 'meanwhile 3', 'written offline']) {
      expect(await thread().getByText(text).count(), text).toBe(1);
    }
  }, 120_000);

  it('says why a message was not sent, and sends the same one again on request', async () => {
    const channelId = await liveChat('failing');
    const write = await world.visitor(channelId);
    await write('please fail');
    await row('please fail').click();
    const keys: (string | undefined)[] = [];
    await page.route('**/conversations/*/messages', async (route) => {
      if (route.request().method() !== 'POST') return route.fallback();
      keys.push(route.request().headers()['idempotency-key']);
      if (keys.length > 1) return route.fallback();
      return route.fulfill({ status: 422, json: { code: 'rejected', message: 'The provider does not like this.' } });
    });
    await page.getByLabel('Reply').fill('a doomed answer');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('The provider does not like this.').waitFor();
    await page.getByRole('button', { name: 'Send again' }).click();
    const { id } = await conversationOf(channelId);
    await expect.poll(async () => (await messagesOf(id)).length).toBe(2);
    expect(keys[0]).toBe(keys[1]);
    await expect.poll(() => page.getByText('The provider does not like this.').count()).toBe(0);
  });

  it('lets a message go out later, says when, and takes it back', async () => {
    const channelId = await liveChat('later');
    const write = await world.visitor(channelId);
    await write('Remind me tomorrow');
    await row('Remind me tomorrow').click();
    const schedule = page.getByRole('button', { name: 'Schedule', exact: true });
    await page.getByLabel('Reply').fill('Good morning!');
    await schedule.click();
    await page.getByRole('button', { name: /^Tomorrow morning/ }).click();
    await thread().getByText('Goes out').waitFor();
    const { id } = await conversationOf(channelId);
    const [message] = (await world.api(`/conversations/${id}/messages`)).results;
    const at = new Date(message.scheduledFor);
    expect([message.state, at.getHours(), at.getMinutes(), at > new Date()]).toEqual(['scheduled', 9, 0, true]);

    await thread().getByRole('button', { name: 'Take back' }).click();
    await thread().getByText('canceled before it was sent').waitFor();

    await page.getByLabel('Reply').fill('Good evening!');
    await schedule.click();
    await page.getByLabel('At another time').fill('2020-01-01T18:00');
    await page.getByText('That time is over').waitFor();
    expect(await page.getByRole('button', { name: 'Schedule it' }).isDisabled()).toBe(true);
  });

  it('sends files that are chosen, with a preview before', async () => {
    const channelId = await liveChat('files');
    const write = await world.visitor(channelId);
    await write('send me the plan');
    await row('send me the plan').click();
    await page.locator('input[type=file]').setInputFiles({ name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('the plan') });
    await page.getByText('plan.txt').waitFor();
    await page.getByLabel('Reply').fill('Here it is');
    await expect.poll(() => page.getByRole('button', { name: 'Send' }).isEnabled()).toBe(true);
    await page.getByLabel('Reply').press('Enter');
    const link = thread().getByRole('link', { name: /plan\.txt/ });
    await link.waitFor();
    const { id } = await conversationOf(channelId);
    await expect.poll(async () => (await messagesOf(id)).length).toBe(3);
    const { pathname, search } = new URL((await link.getAttribute('href'))!, patchbay.url);
    const file = await fetch(patchbay.url + pathname + search);
    expect(await file.text()).toBe('the plan');
  });

  it('shows every kind of content, and lets nothing in a mail run', async () => {
    const channelId = await liveChat('kinds');
    const write = await world.visitor(channelId);
    for (const _kind of KINDS) await write('to be replaced');
    const { id } = await conversationOf(channelId);
    await until(async () => (await messagesOf(id)).length === KINDS.length, { what: 'every message' });
    await page.route(`**/conversations/${id}/messages?*`, async (route) => {
      const response = await route.fetch();
      const { results } = (await response.json()) as { results: object[] };
      return route.fulfill({ response, json: { results: results.map((message, n) => ({ ...message, content: KINDS[n] })) } });
    });
    await page.goto(`${patchbay.url}/inbox/${id}`);
    for (const text of [
      'Chosen one',
      'Berlin office',
      'Karl the neighbour',
      'Morning',
      'See the menu',
      'A green plant',
      'Your parcel is on its way',
      'Plant pot',
      '24.00 EUR',
      'was taken up again',
      'cannot be shown here (poll)',
      'plan.pdf',
      'a native text',
    ]) {
      await thread().getByText(text).first().waitFor();
    }
    await thread().getByRole('button', { name: 'Show the whole mail' }).click();
    const mail = page.frameLocator('iframe[title="Re: order"]');
    await mail.getByText('signed form').waitFor();
    expect(await mail.locator('script, form, [onclick]').count()).toBe(0);
    expect(await page.title()).not.toBe('hacked');
    await thread().getByRole('button', { name: 'Load pictures from elsewhere' }).waitFor();
    // What the browser reports here is the policy at work: handlers that it would not run, a picture that it did not load.
    complaints = complaints.filter((complaint) => !complaint.includes('Content Security Policy'));
  });

  it('closes and opens conversations, tags them, names the contact, keeps a draft', async () => {
    const channelId = await liveChat('organised');
    const write = await world.visitor(channelId);
    await write('sort me');
    await row('sort me').click();
    const { id } = await conversationOf(channelId);
    await page.getByRole('combobox', { name: 'Tags' }).fill('vip');
    await page.getByRole('combobox', { name: 'Tags' }).press('Enter');
    await expect.poll(async () => (await world.api(`/conversations/${id}`)).tags).toEqual(['vip']);
    await page.getByRole('button', { name: 'Change the name' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
    await page.getByLabel('Name', { exact: true }).press('Enter');
    await row('Ada Lovelace').waitFor();
    await page.getByLabel('Reply').fill('half an ans');
    await page.reload();
    await expect.poll(() => page.getByLabel('Reply').inputValue()).toBe('half an ans');
    await page.getByLabel('Reply').fill('');
    await page.getByLabel('Reply').press('Escape');
    await page.keyboard.press('e');
    await expect.poll(async () => (await world.api(`/conversations/${id}`)).status).toBe('closed');
    await expect.poll(() => row('Ada Lovelace').count()).toBe(0);
    await page.getByText('Closed', { exact: true }).click();
    await row('Ada Lovelace').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  });

  it('disconnects after asking, says so where one would answer, and connects again', async () => {
    const channelId = await liveChat('ending');
    const write = await world.visitor(channelId);
    await write('last words');
    await conversationOf(channelId);
    await page.goto(`${patchbay.url}/channels/${channelId}`);
    await page.getByRole('button', { name: 'Disconnect…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
    await page.getByText('Disconnected', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Its conversations' }).click();
    await row('last words').click();
    await page.getByText('This channel is disconnected.').waitFor();
    await page.getByRole('link', { name: 'Open the channel' }).click();
    await page.getByRole('button', { name: 'Connect again' }).click();
    await page.getByText('Connected', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Channels' }).waitFor();
    await expect.poll(() => page.getByText('ending').count()).toBe(0);
  });

  it('makes a key, shows it once, and revokes it', async () => {
    await page.getByRole('link', { name: 'API keys' }).click();
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name').fill('Shop system');
    await page.getByText('May do only this').click();
    await page.getByLabel('channels:read').check();
    await page.getByRole('button', { name: 'Make the key' }).click();
    const key = await page
      .getByRole('dialog')
      .getByText(/^ak_live_/)
      .textContent();
    const asThat = () => fetch(`${patchbay.url}/workspaces/${patchbay.workspaceId}/channels`, { headers: { 'x-api-key': key! } });
    expect((await asThat()).status).toBe(200);
    await page.getByRole('button', { name: 'I have it' }).click();
    expect(await page.getByText(key!).count()).toBe(0);
    await page.getByRole('button', { name: 'Revoke Shop system' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await expect.poll(() => page.getByText('Shop system').count()).toBe(0);
    expect((await asThat()).status).toBe(401);
  });

  it('notifies of what comes in while nobody looks, once somebody asked for it', async () => {
    const channelId = await liveChat('noticed');
    const write = await world.visitor(channelId);
    await context.grantPermissions(['notifications'], { origin: patchbay.url });
    // A headless browser shows no notices and is never out of sight; what the page asks for is what counts.
    await page.addInitScript(() => {
      const told: { title: string; body?: string }[] = [];
      class Told {
        static permission = 'granted';
        static requestPermission = async () => 'granted';
        onclick?: () => void;
        constructor(title: string, options: { body?: string }) {
          told.push({ title, body: options.body });
        }
      }
      Object.assign(window, { Notification: Told, told });
    });
    await page.reload();
    const told = () => page.evaluate(() => (window as unknown as { told: { body?: string }[] }).told.map(({ body }) => body));
    await write('before it was asked for');
    await row('before it was asked for').waitFor();
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('menuitem', { name: 'Notify me of new messages' }).click();
    await page.getByRole('menuitem', { name: 'Stop notices of new messages' }).waitFor();
    await page.keyboard.press('Escape');
    await write('while somebody looks');
    await row('while somebody looks').waitFor();
    expect(await told()).toEqual([]);
    await page.evaluate(() => Object.defineProperty(document, 'visibilityState', { value: 'hidden' }));
    await write('while nobody looks');
    await row('while nobody looks').waitFor();
    expect(await told()).toEqual(['while nobody looks']);
  });

  it('goes back to the sign-in when the session ends under it', async () => {
    await page.getByRole('heading', { name: 'Inbox' }).waitFor();
    await context.clearCookies();
    await context.setOffline(true);
    await context.setOffline(false);
    await page.getByRole('heading', { name: 'Sign in to Patchbay' }).waitFor();
  });

  it('fits a phone: the list, then the conversation, then back', async () => {
    const channelId = await liveChat('pocket');
    await (await world.visitor(channelId))('from my phone');
    await page.setViewportSize({ width: 390, height: 844 });
    await row('from my phone').click();
    await thread().getByText('from my phone').waitFor();
    expect(await page.getByRole('region', { name: 'Conversations' }).isVisible()).toBe(false);
    await page.getByRole('link', { name: 'Back to the list' }).click();
    await row('from my phone').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
});
