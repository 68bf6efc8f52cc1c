import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildWidget, hasBrowser, launchBrowser, ShopPage } from './browser.ts';
import { CHANNEL_ID, FakeServer } from './fake-server.ts';

const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

describe.skipIf(!hasBrowser)('the widget in a real browser', () => {
  let code: string;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let server: FakeServer;
  let shop: ShopPage;
  let problems: string[];

  beforeAll(async () => {
    [code, browser] = await Promise.all([buildWidget(), launchBrowser()]);
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    server = new FakeServer(() => code);
    shop = new ShopPage();
    await Promise.all([server.start(), shop.start()]);
    shop.head = `<script async src="${server.origin}/widget.js" data-channel-id="${CHANNEL_ID}"></script>`;
    await newContext({ viewport: { width: 1200, height: 900 } });
  });
  afterEach(async () => {
    await context.close();
    await Promise.all([server.stop(), shop.stop()]);
  });

  async function newContext(options: Parameters<Browser['newContext']>[0]): Promise<void> {
    await context?.close();
    context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...options });
    page = await context.newPage();
    page.setDefaultTimeout(30_000);
    problems = [];
    page.on('pageerror', (error) => problems.push(String(error)));
  }

  const bubble = () => page.locator('#patchbay-widget .bubble');
  const input = () => page.getByRole('textbox', { name: 'Write a message…' });
  const log = () => page.getByRole('log');
  const texts = () => page.locator('#patchbay-widget .line .text:not(.typing), #patchbay-widget .emoji-only').allInnerTexts();

  async function open(): Promise<void> {
    await page.goto(shop.url);
    await bubble().click();
    await expect.poll(() => server.connected).toBe(1);
  }

  async function say(text: string): Promise<void> {
    await input().fill(text);
    await input().press('Enter');
  }

  it('lets a visitor and an agent talk, with typing and marks both ways', async () => {
    await page.goto(shop.url);
    await bubble().waitFor();
    expect(server.requests.filter((request) => request.includes('authenticate'))).toEqual([]);
    await bubble().click();
    await log().getByText('Hi there').waitFor();
    await expect.poll(() => server.connected).toBe(1);
    await input().pressSequentially('Hello');
    await expect.poll(() => server.typing).toEqual([true]);
    await input().press('Enter');
    await log().getByText('Hello').waitFor();
    await expect.poll(() => server.typing).toEqual([true, false]);
    await expect.poll(() => server.last.messages.length).toBe(1);
    await page.locator('.mark.delivered').waitFor();
    server.agentReads();
    await page.locator('.mark.read').getByText('Read').waitFor();
    server.agentTypes(true);
    await page.getByText('Nora is typing…').waitFor();
    const answer = server.agentSays({ text: 'Look at https://example.org/a?b=1. <img src=x onerror=alert(1)>' });
    const link = log().getByRole('link', { name: 'https://example.org/a?b=1', exact: true });
    await link.waitFor();
    expect(await link.getAttribute('rel')).toContain('noopener');
    await log().getByText('<img src=x onerror=alert(1)>').waitFor();
    expect(await page.getByText('Nora is typing…').count()).toBe(0);
    await expect.poll(() => server.receipts.at(-1)).toEqual({ message_ids: [answer.id], state: 'read' });
    expect(problems).toEqual([]);
  });

  it('counts unread messages while it is closed, and forgets them when opened', async () => {
    await open();
    await say('Hi');
    await expect.poll(() => server.last.messages.length).toBe(1);
    await page.getByRole('button', { name: 'Close chat' }).first().click();
    const message = server.agentSays({ text: 'One' });
    server.agentSays({ text: 'Two' });
    await page.locator('.badge').getByText('2').waitFor();
    await expect.poll(() => server.receipts.at(-1)?.state).toBe('delivered');
    expect(await bubble().getAttribute('aria-label')).toBe('Open chat. Unread messages: 2');
    await page.reload();
    await page.locator('.badge').getByText('2').waitFor();
    await bubble().click();
    await expect.poll(() => page.locator('.badge').count()).toBe(0);
    await expect
      .poll(() => server.receipts.some(({ state, message_ids }) => state === 'read' && message_ids.includes(message.id)))
      .toBe(true);
    await page.reload();
    await expect.poll(() => server.connected).toBe(1);
    expect(await page.locator('.badge').count()).toBe(0);
  });

  it('resumes the conversation after a reload', async () => {
    await open();
    await say('First');
    await expect.poll(() => server.last.messages.length).toBe(1);
    server.agentSays({ text: 'Answer' });
    await log().getByText('Answer').waitFor();
    await page.reload();
    await bubble().click();
    await log().getByText('Answer').waitFor();
    await say('Second');
    await expect.poll(() => server.last.messages.length).toBe(3);
    expect(server.conversations.size).toBe(1);
    await expect.poll(texts).toEqual(['Hi there 👋 How can we help?', 'First', 'Answer', 'Second']);
  });

  it('loses and doubles nothing while the server restarts', async () => {
    await open();
    await say('one');
    await expect.poll(() => server.last.messages.length).toBe(1);
    await server.stop();
    await page.getByText('Reconnecting…').waitFor();
    await say('two');
    await say('three');
    server.agentSays({ text: 'while you were away' });
    await server.start();
    await expect.poll(() => server.last.messages.length, { timeout: 20_000 }).toBe(4);
    await expect.poll(() => server.connected, { timeout: 20_000 }).toBe(1);
    await log().getByText('while you were away').waitFor();
    await page.getByText('Reconnecting…').waitFor({ state: 'detached' });
    server.agentSays({ text: 'back' });
    await log().getByText('back', { exact: true }).waitFor();
    expect((await texts()).slice(1).sort()).toEqual(['back', 'one', 'three', 'two', 'while you were away']);
    expect(await page.locator('.mark.pending').count()).toBe(0);
  });

  it('sends a message once whose answer was lost, even over a reload', async () => {
    await open();
    server.swallowAnswers = 2;
    await say('only once');
    await expect.poll(() => server.swallowAnswers, { timeout: 20_000 }).toBe(0);
    await expect.poll(() => page.locator('.mark.delivered').count(), { timeout: 20_000 }).toBe(1);
    server.swallowAnswers = 1;
    await say('and this');
    await expect.poll(() => server.swallowAnswers).toBe(0);
    await page.reload();
    await bubble().click();
    await expect.poll(() => page.locator('.mark.pending').count()).toBe(0);
    await expect.poll(async () => (await texts()).slice(1)).toEqual(['only once', 'and this']);
    expect(server.last.messages).toHaveLength(2);
  });

  it('goes on, slower, where WebSockets do not get through', async () => {
    server.refuseSockets = true;
    await page.goto(shop.url);
    await bubble().click();
    await say('Anybody there?');
    await expect.poll(() => server.last?.messages.length).toBe(1);
    server.agentSays({ text: 'Yes' });
    await log().getByText('Yes', { exact: true }).waitFor();
    server.refuseSockets = false;
    await expect.poll(() => server.connected, { timeout: 20_000 }).toBe(1);
    expect(server.conversations.size).toBe(1);
    expect((await texts()).slice(1)).toEqual(['Anybody there?', 'Yes']);
  });

  it('shows a message once whose echo comes before its answer', async () => {
    await open();
    let release = () => {};
    server.sendGate = new Promise((resolve) => {
      release = resolve;
    });
    await say('echo');
    await expect.poll(() => server.last.messages.length).toBe(1);
    server.agentSays({ text: 'behind the echo' });
    await log().getByText('behind the echo').waitFor();
    expect((await texts()).filter((text) => text === 'echo')).toHaveLength(1);
    release();
    await page.locator('.mark.delivered').waitFor();
    expect((await texts()).filter((text) => text === 'echo')).toHaveLength(1);
  });

  it('signs in again when its token has run out', async () => {
    await open();
    await say('before');
    await expect.poll(() => server.last.messages.length).toBe(1);
    server.revokeTokens();
    await say('after');
    await expect.poll(() => server.last.messages.length, { timeout: 20_000 }).toBe(2);
    await server.stop();
    server.revokeTokens();
    await server.start();
    await expect.poll(() => server.connected, { timeout: 20_000 }).toBe(1);
    expect(server.conversations.size).toBe(1);
  });

  it('says when a message is refused, and lets the visitor try again or drop it', async () => {
    await open();
    server.failSends = 422;
    await say('refused');
    await page.getByText('Not sent').waitFor();
    server.failSends = 0;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.mark.delivered').waitFor();
    server.failSends = 400;
    await say('dropped');
    await page.getByRole('button', { name: 'Discard' }).click();
    await expect.poll(async () => (await texts()).slice(1)).toEqual(['refused']);
    expect(server.last.messages).toHaveLength(1);
  });

  it('uploads pictures and files with a preview, and refuses what is not allowed', async () => {
    server.config = { maxFileSize: 1000, allowedFileTypes: ['image/*', '.pdf'] };
    await open();
    const files = page.locator('#patchbay-widget input[type=file]');
    await files.setInputFiles([
      { name: 'big.png', mimeType: 'image/png', buffer: Buffer.alloc(2000) },
      { name: 'evil.exe', mimeType: 'application/x-msdownload', buffer: Buffer.alloc(5) },
      { name: 'dot.png', mimeType: 'image/png', buffer: PIXEL },
      { name: 'terms & more.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF') },
    ]);
    await page.getByText('big.png is larger than 1 kB. evil.exe is a kind of file that cannot be sent here').waitFor();
    await page.locator('.staged img').waitFor();
    await input().fill('see');
    await page.getByRole('button', { name: 'Send' }).click();
    await expect.poll(() => server.last.messages.length).toBe(3);
    expect(server.last.messages[0]?.content).toEqual({
      attachment: { type: 'image', payload: { url: expect.stringMatching(/^http.*dot\.png$/), name: 'dot.png' } },
    });
    await log().getByRole('link', { name: 'File: terms & more.pdf' }).waitFor();
    await expect
      .poll(() =>
        log()
          .getByRole('link', { name: 'Image: dot.png' })
          .locator('img')
          .evaluate((image: HTMLImageElement) => image.naturalWidth),
      )
      .toBe(1);
    expect(await page.locator('.staged').count()).toBe(0);
  });

  it('takes dropped and pasted files', async () => {
    await open();
    const give = (type: 'drop' | 'paste') =>
      page.locator(type === 'drop' ? '#patchbay-widget .panel' : '#patchbay-widget textarea').evaluate((element, kind) => {
        const data = new DataTransfer();
        data.items.add(new File(['x'], `${kind}.txt`, { type: 'text/plain' }));
        if (kind === 'paste') element.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
        else
          for (const name of ['dragenter', 'dragover', 'drop'])
            element.dispatchEvent(new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true }));
      }, type);
    await give('drop');
    await page.getByRole('button', { name: 'Remove drop.txt' }).waitFor();
    await give('paste');
    await page.getByRole('button', { name: 'Remove paste.txt' }).click();
    await page.getByRole('button', { name: 'Send' }).click();
    await log().getByRole('link', { name: 'File: drop.txt' }).waitFor();
    await expect.poll(() => server.last.messages.length).toBe(1);
  });

  it('answers with quick replies and card buttons', async () => {
    await open();
    await say('Hi');
    await expect.poll(() => server.last.messages.length).toBe(1);
    server.agentSays({
      text: 'Which one?',
      quick_replies: [
        { content_type: 'text', title: 'Red', payload: 'p-red' },
        { content_type: 'text', title: 'Blue', payload: 'p-blue' },
      ],
    });
    await page.getByRole('button', { name: 'Blue' }).click();
    await expect
      .poll(() => server.last.messages.at(-1)?.content)
      .toEqual({ type: 'suggestionResponse', text: 'Blue', postbackData: 'p-blue' });
    await expect.poll(() => page.getByRole('button', { name: 'Red' }).count()).toBe(0);
    const card = (title: string) => ({
      title,
      description: 'Nice',
      media: { height: 'MEDIUM', contentInfo: { altText: 'A fern', fileUrl: `${server.origin}/media/none/x.png` } },
      suggestions: [
        { reply: { text: `Buy ${title}`, postbackData: `buy-${title}` } },
        { action: { text: 'Look', postbackData: 'look', openUrlAction: { url: 'https://example.org/' } } },
        { action: { text: 'Bad', postbackData: 'bad', openUrlAction: { url: 'javascript:alert(1)' } } },
      ],
    });
    server.agentSays({ richCard: { standaloneCard: { cardContent: card('Fern') } } });
    await page.getByRole('button', { name: 'Buy Fern' }).click();
    await expect.poll(() => server.last.messages.at(-1)?.content).toMatchObject({ postbackData: 'buy-Fern' });
    expect(await page.getByRole('link', { name: 'Look' }).getAttribute('href')).toBe('https://example.org/');
    expect(await page.getByText('Bad', { exact: true }).count()).toBe(0);
    server.agentSays({ richCard: { carouselCard: { cardWidth: 'MEDIUM', cardContents: [card('Moss'), card('Ivy'), card('Palm')] } } });
    await page.getByRole('button', { name: 'Buy Palm' }).click();
    await expect.poll(() => server.last.messages.at(-1)?.content).toMatchObject({ postbackData: 'buy-Palm' });
    server.agentSays({
      text: '**Bold** and [a link](https://example.org/x) [no](javascript:1)',
      fallback: 'Bold',
      containsRichText: 'true',
    });
    await log().getByRole('link', { name: 'a link' }).waitFor();
    expect(await log().locator('strong', { hasText: 'Bold' }).count()).toBe(1);
    expect(await log().getByRole('link', { name: 'no', exact: true }).count()).toBe(0);
  });

  it('ends a chat and begins a new one', async () => {
    await open();
    await say('Old');
    await expect.poll(() => server.last.messages.length).toBe(1);
    await page.getByRole('button', { name: 'End chat' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'End chat' }).click();
    await page.getByText('This chat has ended').waitFor();
    expect(server.last.ended).toBe(true);
    await page.getByRole('button', { name: 'Start a new chat' }).click();
    await say('New');
    await expect.poll(() => server.conversations.size).toBe(2);
    await expect.poll(() => server.last.messages.length).toBe(1);
    await expect.poll(async () => (await texts()).slice(1)).toEqual(['New']);
    server.agentEnds();
    await page.getByText('This chat has ended').waitFor();
    await page.reload();
    await bubble().click();
    await input().waitFor();
    expect((await texts()).slice(1)).toEqual([]);
  });

  it('is used by keyboard alone', async () => {
    await page.goto(shop.url);
    await bubble().waitFor();
    await page.locator('#before').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const focused = () => page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.getAttribute('aria-label'));
    await expect.poll(focused).toBe('Write a message…');
    await page.keyboard.type('typed');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Attach files');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Emoji');
    await page.keyboard.press('Enter');
    await page.getByRole('toolbar', { name: 'Emoji' }).waitFor();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await expect.poll(focused).toBe('Write a message…');
    await page.keyboard.press('Enter');
    await expect.poll(() => server.last?.messages[0]?.content).toEqual({ text: 'typed😁' });
    const seen = new Set<unknown>();
    for (let turn = 0; turn < 8; turn += 1) {
      await page.keyboard.press('Tab');
      seen.add(await focused());
    }
    expect([...seen].sort()).toEqual(['Attach files', 'Close chat', 'Emoji', 'End chat', 'Messages', 'Write a message…']);
    await page.keyboard.press('Escape');
    await expect.poll(focused).toBe('Open chat');
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  it('fills a phone, speaks the visitor’s language, and follows the dark mode', async () => {
    await newContext({ viewport: { width: 390, height: 760 }, locale: 'de-DE', colorScheme: 'dark', hasTouch: true });
    await page.goto(shop.url);
    await page.getByRole('button', { name: 'Chat öffnen' }).tap();
    const box = await page.getByRole('dialog').boundingBox();
    expect(box).toEqual({ x: 0, y: 0, width: 390, height: 760 });
    expect(await page.getByRole('dialog').evaluate((element) => getComputedStyle(element).backgroundColor)).toBe('rgb(23, 25, 31)');
    await expect.poll(() => page.evaluate(() => document.documentElement.style.overflow)).toBe('hidden');
    await page.getByRole('dialog').getByRole('button', { name: 'Chat schließen' }).tap();
    await expect.poll(() => page.evaluate(() => document.documentElement.style.overflow)).toBe('');
  });

  it('takes its look and texts from the configuration', async () => {
    server.config = {
      headerText: 'Garden help',
      welcomeMessage: 'Welcome!',
      primaryColor: '#ffd400',
      position: 'left',
      width: 320,
      hideEmojis: true,
      hideAttachments: true,
      closeMode: 'basic',
      bubbleState: 'expanded',
      texts: { placeholder: 'Ask away' },
    };
    await page.goto(shop.url);
    await page.getByRole('dialog', { name: 'Garden help' }).waitFor();
    await page.getByText('Welcome!').waitFor();
    await page.getByRole('textbox', { name: 'Ask away' }).waitFor();
    expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);
    const box = await page.getByRole('dialog').boundingBox();
    expect(box).toMatchObject({ x: 20, width: 320 });
    for (const name of ['Emoji', 'Attach files', 'End chat']) expect(await page.getByRole('button', { name }).count()).toBe(0);
    expect(await page.locator('header').evaluate((element) => getComputedStyle(element).color)).toBe('oklch(0.2 0 0)');
  });

  it('is embedded by Airy’s loader too, and works where storage is blocked and styles are forbidden', async () => {
    shop.head = `<meta http-equiv="content-security-policy" content="style-src 'none'"><script>
      Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('blocked', 'SecurityError'); } });
      window.airy = { channelId: '${CHANNEL_ID}', host: '${server.origin}', config: { headerText: 'From Airy' } };
      const s = document.createElement('script'); s.async = true; s.src = '${server.origin}/chatplugin/ui/s.js'; document.head.append(s);
    </script>`;
    await open();
    await page.getByRole('dialog', { name: 'From Airy' }).waitFor();
    expect(await bubble().evaluate((element) => getComputedStyle(element).borderRadius)).toBe('50%');
    await say('Hi');
    await page.locator('.mark.delivered').waitFor();
    expect(problems).toEqual([]);
  });

  it('comes back to a conversation from a link with a resume token', async () => {
    await open();
    await say('On my phone');
    await expect.poll(() => server.last.messages.length).toBe(1);
    const token = `resume:${server.last.id}`;
    await newContext({});
    await page.goto(`${shop.url}?a=1&resume_token=${encodeURIComponent(token)}`);
    await log().getByText('On my phone').waitFor();
    expect(page.url()).toBe(`${shop.url}?a=1`);
  });

  it('is shown by the demo shop', async () => {
    server.demo = readFileSync(join(import.meta.dirname, '../demo.html'), 'utf8');
    await page.goto(`${server.origin}/demo?channel_id=${CHANNEL_ID}`);
    await bubble().waitFor();
    await page.getByRole('button', { name: 'Ask a gardener' }).click();
    await page.getByRole('dialog', { name: 'Chat with us' }).waitFor();
    // Written while it still connects: one conversation all the same.
    await say('Which plant survives a dark hallway?');
    await expect.poll(() => server.connected).toBe(1);
    await expect.poll(() => server.last.messages.length).toBe(1);
    server.agentSays({ text: 'The snake plant.' });
    await log().getByText('The snake plant.').waitFor();
    expect(server.conversations.size).toBe(1);
    expect(await page.getByRole('link', { name: /Open the inbox/ }).getAttribute('href')).toBe('/');
    expect(problems).toEqual([]);
  });

  it('stays away, with a word in the console, when the channel is unknown', async () => {
    const warnings: string[] = [];
    page.on('console', (message) => warnings.push(message.text()));
    shop.head = `<script async src="${server.origin}/widget.js"></script>`;
    await page.goto(shop.url);
    await expect.poll(() => warnings.join()).toContain('data-channel-id');
    expect(await page.locator('#patchbay-widget').count()).toBe(0);
  });

  it('draws a preview without a server', async () => {
    shop.head = `<script>window.airy = { channelId: 'x', config: { showMode: true, headerText: 'Preview' } };</script><script async src="${server.origin}/widget.js"></script>`;
    await page.goto(shop.url);
    await page.getByRole('dialog', { name: 'Preview' }).waitFor();
    await page.evaluate(() => window.patchbay?.configure?.({ headerText: 'Changed' }));
    await page.getByRole('dialog', { name: 'Changed' }).waitFor();
    expect(server.requests).toEqual(['GET /widget.js']);
    await page.evaluate(() => window.patchbay?.destroy?.());
    expect(await page.locator('#patchbay-widget').count()).toBe(0);
  });
});
