/** The widget and the server as they ship, in a real browser on another origin, with the server killed in the middle. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningPatchbay, startPatchbay, temporaryFolder } from '../../server/test/support/patchbay.ts';
import { buildWidget, hasBrowser, launchBrowser, ShopPage } from './browser.ts';

const KEY = 'ak_live_widgetwidgetwidgetwidgetwidgetwidgetwidget';

const FERNS = ['Lady', 'Male', 'Ostrich', 'Royal', 'Sword', 'Maidenhair', 'Bird’s nest', 'Boston'];
const said = ['Do you ship ferns?', 'We do, on Mondays.', ...FERNS, 'Anything else?'];

interface Message {
  id: string;
  content: { text?: string; attachment?: { type: string } };
  from_contact: boolean;
  metadata: { source?: { delivery_state?: string } };
}

interface Event {
  type: string;
  data: Record<string, unknown>;
}

describe.skipIf(!hasBrowser)('the widget with the real server', () => {
  const shop = new ShopPage();
  const problems: string[] = [];
  let env: Record<string, string>;
  let patchbay: RunningPatchbay;
  let browser: Browser;
  let page: Page;
  let conversationId: string;

  beforeAll(async () => {
    env = { DATA_DIR: `${await temporaryFolder()}/data`, PATCHBAY_API_KEY: KEY, LOG_LEVEL: 'warn' };
    [browser] = await Promise.all([launchBrowser(), buildWidget(), shop.start()]);
    patchbay = await startPatchbay(env);
    env.PORT = String(patchbay.port);
    const channel = await agent<{ id: string }>('channels.chatplugin.connect', { name: 'Fern & Fable' });
    shop.head = `<script async src="${patchbay.url}/widget.js" data-channel-id="${channel.id}"></script>`;
    page = await (await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce' })).newPage();
    page.setDefaultTimeout(30_000);
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(shop.url);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await shop.stop();
    await patchbay?.kill();
  });

  async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${patchbay.url}/${path}`, {
      method,
      headers: { 'x-api-key': KEY, authorization: `Bearer ${KEY}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }
  const agent = <T>(path: string, body: unknown) => request<T>('POST', path, body);
  const answer = (text: string) => agent<Message>('messages.send', { conversation_id: conversationId, message: { text } });
  const workspace = (path: string) => `workspaces/${patchbay.workspaceId}/${path}`;
  const conversations = async () => (await agent<{ data: { id: string }[] }>('conversations.list', {})).data;

  /** The conversation as the agents have it, oldest first. */
  async function told(): Promise<Message[]> {
    return (await agent<{ data: Message[] }>('messages.list', { conversation_id: conversationId, page_size: 100 })).data.reverse();
  }
  const toldTexts = async () => (await told()).map(({ content }) => content.text);
  const stateOf = async (text: string) => (await told()).find(({ content }) => content.text === text)?.metadata.source?.delivery_state;
  async function happened(type: string): Promise<Event[]> {
    const { results } = await request<{ results: Event[] }>('GET', workspace('events?limit=100'));
    return results.filter((event) => event.type === type);
  }

  const bubble = () => page.locator('#patchbay-widget .bubble');
  const input = () => page.getByRole('textbox', { name: 'Write a message…' });
  const log = () => page.getByRole('log');
  const shown = async () => (await page.locator('#patchbay-widget .line .text:not(.typing)').allInnerTexts()).slice(1);

  async function say(text: string): Promise<void> {
    await input().fill(text);
    await input().press('Enter');
  }

  it('lets a visitor and an agent talk', async () => {
    await bubble().click();
    await log().getByText('Hi there').waitFor();
    await say('Do you ship ferns?');
    await page.locator('.mark.delivered').waitFor();
    await expect.poll(conversations).toHaveLength(1);
    conversationId = (await conversations())[0]!.id;
    expect(await toldTexts()).toEqual(['Do you ship ferns?']);

    await agent('conversations.mark-read', { conversation_id: conversationId });
    await page.locator('.mark.read').getByText('Read').waitFor();
    await answer('We do, on Mondays.');
    await log().getByText('We do, on Mondays.').waitFor();
    await expect.poll(() => stateOf('We do, on Mondays.')).toBe('seen');
  });

  it('shows each side that the other one writes', async () => {
    const typing = workspace(`conversations/${conversationId}/typing`);
    await agent(typing, { on: true });
    await page.locator('.typing').waitFor();
    await agent(typing, { on: false });
    await page.locator('.typing').waitFor({ state: 'detached' });
    await input().fill('Then Monday');
    await expect.poll(async () => (await happened('typing')).at(-1)?.data).toMatchObject({ by: 'contact', on: true });
    await input().fill('');
    await expect.poll(async () => (await happened('typing')).at(-1)?.data).toMatchObject({ by: 'contact', on: false });
  });

  it('tells that every message was read, however close they came', async () => {
    for (const fern of FERNS) await answer(fern);
    await expect.poll(() => Promise.all(FERNS.map(stateOf)), { timeout: 10_000 }).toEqual(FERNS.map(() => 'seen'));
  });

  it('counts what came while it was closed', async () => {
    await page.getByRole('button', { name: 'Close chat' }).first().click();
    await answer('Anything else?');
    await page.locator('.badge').getByText('1').waitFor();
    await expect.poll(() => stateOf('Anything else?')).toBe('delivered');
    await bubble().click();
    await expect.poll(() => stateOf('Anything else?')).toBe('seen');
  });

  it('sends a picture and shows it again', async () => {
    const png = await page.screenshot({ clip: { x: 0, y: 0, width: 40, height: 30 } });
    await page.locator('#patchbay-widget input[type=file]').setInputFiles({ name: 'fern.png', mimeType: 'image/png', buffer: png });
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await expect.poll(async () => (await told()).some(({ content }) => content.attachment?.type === 'image')).toBe(true);
    await page.reload();
    await bubble().click();
    const picture = page.locator('#patchbay-widget .line .image img');
    await expect.poll(() => picture.evaluate((element: HTMLImageElement) => element.naturalWidth)).toBe(40);
  });

  it('comes back to the conversation after a reload', async () => {
    await page.reload();
    await bubble().click();
    await expect.poll(shown).toEqual(said);
    await say('A pot as well');
    await expect.poll(toldTexts).toContain('A pot as well');
    expect(await conversations()).toHaveLength(1);
  });

  it('loses and doubles nothing when the server is killed and started again', async () => {
    for (const round of [1, 2]) {
      // Acknowledged, perhaps not told yet; and on its way while the power goes.
      await answer(`said ${round}`);
      await say(`asked ${round}`);
      await patchbay.kill();
      await page.getByText('Reconnecting…').waitFor();
      await say(`meanwhile ${round}`);
      const { workspaceId } = patchbay;
      patchbay = await startPatchbay(env);
      expect(patchbay.workspaceId).toBe(workspaceId);
      await answer(`back ${round}`);
      await page.getByText('Reconnecting…').waitFor({ state: 'detached' });
      await log().getByText(`back ${round}`).waitFor();
      await expect.poll(() => page.locator('.mark.pending').count(), { timeout: 10_000 }).toBe(0);
    }
    const all = [...said, 'A pot as well'];
    for (const round of [1, 2]) all.push(`said ${round}`, `asked ${round}`, `meanwhile ${round}`, `back ${round}`);
    expect((await shown()).sort()).toEqual(all.toSorted());
    const texts = (await told()).flatMap(({ content }) => content.text ?? []);
    expect(texts.toSorted()).toEqual(all.toSorted());
    await page.reload();
    await bubble().click();
    await expect.poll(shown).toEqual(texts);
    expect(await conversations()).toHaveLength(1);
  }, 120_000);

  it('ends a chat and begins another', async () => {
    await page.getByRole('button', { name: 'End chat' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'End chat' }).click();
    await page.getByRole('button', { name: 'Start a new chat' }).click();
    await say('Hello again');
    await expect.poll(conversations).toHaveLength(2);
    expect(await shown()).toEqual(['Hello again']);
    expect(problems).toEqual([]);
  });
});
