/** Mail in a browser: read and answered as people do, and hostile mails that do nothing. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HOSTILE } from '../../server/test/connectors/email/hostile.ts';
import { type RunningPatchbay, startPatchbay } from '../../server/test/support/patchbay.ts';
import { freePort, until } from '../../server/test/support/until.ts';
import { buildPages, hasBrowser, launchBrowser, openPage } from './support/browser.ts';
import { postbox, type Relay, startRelay } from './support/mail-world.ts';
import { shoot } from './support/shots.ts';
import { World } from './support/world.ts';

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC',
  'base64',
);
const FIRST = '<first@customer.example>';

describe.skipIf(!hasBrowser)('mail, in a browser', () => {
  let relay: Relay;
  let patchbay: RunningPatchbay;
  let world: World;
  let write: ReturnType<typeof postbox>;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[] = [];
  /** Whatever the browser asked of anybody but us. */
  let strangers: string[] = [];

  beforeAll(async () => {
    await buildPages();
    relay = await startRelay();
    const port = await freePort();
    patchbay = await startPatchbay({
      LOG_LEVEL: 'warn',
      SMTP_INBOUND_PORT: String(port),
      SMTP_RELAY_URL: relay.url,
      ALLOW_PRIVATE_NETWORK: '1',
    });
    world = new World(patchbay);
    write = postbox(port);
    const input = { email: 'help@garden.example', provider: 'aurion', quote: true };
    await world.api('/channels', { body: { source: 'email', name: 'Help desk', input } });
    browser = await launchBrowser();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await patchbay?.stop();
    await relay?.close();
  });

  beforeEach(async () => {
    complaints = [];
    strangers = [];
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    // A page has to be its own visitor; nothing leaves this machine.
    await context.route(
      (url) => url.port !== String(patchbay.port) && url.protocol !== 'data:',
      (route) => {
        strangers.push(route.request().url());
        return route.fulfill({ contentType: 'image/png', body: PIXEL });
      },
    );
    await context.request.post(`${patchbay.url}/session`, { data: { key: patchbay.apiKey }, headers: { origin: patchbay.url } });
    page = await openPage(context, patchbay.url, complaints);
  });
  afterEach(async () => {
    await context.close();
    // What the browser reports of a mail is its policy at work: something that it would not load or run.
    expect(complaints.filter((complaint) => !complaint.includes('Content Security Policy'))).toEqual([]);
  });

  const conversationOf = (subject: string) =>
    until(async () => (await world.api(`/conversations?search=${encodeURIComponent(subject)}`)).results[0], { what: `“${subject}”` });
  const thread = () => page.getByRole('log', { name: 'Messages' });
  const open = async (subject: string): Promise<string> => {
    const { id } = await conversationOf(subject);
    await page.goto(`${patchbay.url}/inbox/${id}`);
    return id;
  };

  it('shows a mail as it was meant, and asks strangers for nothing before somebody wants it', async () => {
    await write({
      messageId: FIRST,
      subject: 'The pot is broken',
      cc: 'Otto <otto@partner.example>',
      text: 'The pot is broken.',
      html: '<p>The pot is <b>broken</b>.</p><img alt="logo" src="cid:logo"><img alt="tracker" src="https://tracker.example/seen.gif">',
      attachments: [
        { filename: 'photo.png', content: PIXEL },
        { filename: 'invoice.pdf', content: '%PDF-1.4' },
        { filename: 'logo.png', cid: 'logo', content: PIXEL },
      ],
    });
    await open('The pot is broken');
    const mail = page.frameLocator('iframe[title="The pot is broken"]');
    await mail.getByText('broken', { exact: true }).waitFor();
    await expect.poll(() => mail.getByAltText('logo').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(10);
    await thread().getByText('Klara Schmidt to Help desk and 1 more').click();
    await thread().getByText('Otto <otto@partner.example>').waitFor();
    await thread()
      .getByRole('link', { name: /invoice\.pdf/ })
      .waitFor();
    await thread().getByRole('button', { name: 'Enlarge photo.png' }).waitFor();
    expect(await thread().getByText('logo.png').count()).toBe(0);
    expect(await mail.getByAltText('tracker').isVisible()).toBe(false);
    expect(strangers).toEqual([]);
    await shoot(page, 'mail');
    await thread().getByRole('button', { name: 'Load pictures from elsewhere' }).click();
    await mail.getByAltText('tracker').waitFor();
    expect(strangers).toEqual(['https://tracker.example/seen.gif']);
    await thread().getByRole('button', { name: 'Original' }).click();
    await page.getByRole('dialog').getByText(`Message-ID: ${FIRST}`).waitFor();
  });

  it('says what a reader should know beside the mail: a program wrote it, it invites', async () => {
    const subject = 'Lunch with the potters';
    await write({
      messageId: 'lunch@customer.example',
      subject,
      text: 'Shall we?',
      headers: { 'Auto-Submitted': 'auto-generated' },
      icalEvent: {
        method: 'REQUEST',
        content:
          'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Lunch\r\nDTSTART:20270101T120000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n',
      },
    });
    await open(subject);
    await thread().getByText('Written by a program').waitFor();
    await thread()
      .getByText(/^Invitation: Lunch, /)
      .waitFor();
  });

  it('folds what was quoted away, in the frame and in plain text', async () => {
    await write({
      inReplyTo: FIRST,
      references: FIRST,
      subject: 'Re: The pot is broken',
      text: 'Any news?\n\nOn Monday you wrote:\n> The pot is on its way.',
      html: '<p>Any <i>news</i>?</p><p>On Monday you wrote:</p><blockquote>The pot is on its way.</blockquote>',
    });
    await open('The pot is broken');
    const mail = page.frameLocator('iframe[title="Re: The pot is broken"]');
    await mail.getByText('news').waitFor();
    expect(await mail.getByText('on its way').isVisible()).toBe(false);
    await mail.getByText('Quoted history').click();
    await mail.getByText('on its way').waitFor();
    // The frame grows with what was folded out, so that nothing of it is cut off.
    const frame = page.locator('iframe[title="Re: The pot is broken"]');
    await expect
      .poll(() => frame.evaluate((element: HTMLIFrameElement) => element.clientHeight >= element.contentDocument!.body.offsetHeight))
      .toBe(true);

    await write({ subject: 'Plain words', text: 'Still nothing?\n\nOn Monday you wrote:\n> The plain pot is on its way.' });
    await open('Plain words');
    await thread().getByText('Still nothing?').waitFor();
    expect(await thread().getByText('The plain pot').count()).toBe(0);
    await thread().getByRole('button', { name: 'Show the whole mail' }).click();
    await thread().getByText('The plain pot').waitFor();
  });

  it('answers everybody with another subject, a copy and a file, in the same thread', async () => {
    await write({ messageId: '<all@customer.example>', subject: 'For all of us', cc: 'otto@partner.example', text: 'Who can help?' });
    const id = await open('For all of us');
    const size = page.viewportSize()!;
    await page.setViewportSize({ width: 390, height: 844 });
    const more = page.getByRole('button', { name: 'Cc, Bcc' });
    await expect.poll(() => more.evaluate((button) => button.getBoundingClientRect().right)).toBeLessThanOrEqual(390);
    await page.setViewportSize(size);
    await page.getByLabel('Subject').fill('For all of us, solved');
    await page.getByRole('button', { name: 'Answer all (2)' }).click();
    expect(await page.getByLabel('Cc', { exact: true }).inputValue()).toBe('otto@partner.example');
    await page.getByLabel('Bcc', { exact: true }).fill('boss@garden.example');
    await page.locator('input[type=file]').setInputFiles({ name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('the plan') });
    await page.getByLabel('Reply').fill('We can.\nHere is the plan.');
    await shoot(page, 'mail-compose');
    await page.getByLabel('Reply').press('Enter');
    expect(await page.getByLabel('Reply').inputValue()).toContain('plan.\n');
    await expect.poll(() => page.getByRole('button', { name: 'Send', exact: true }).isEnabled()).toBe(true);
    await page.getByLabel('Reply').press('Control+Enter');
    const sent = await until(() => relay.mails.find(({ subject }) => subject === 'For all of us, solved'), {
      what: 'the mail at the relay',
    });
    expect(sent.text).toContain('Here is the plan.');
    expect(sent.text).toContain('Who can help?');
    expect(sent.inReplyTo).toBe('<all@customer.example>');
    expect([sent.cc].flat().map((to) => to?.text)).toEqual(['otto@partner.example']);
    expect(sent.attachments.map(({ filename }) => filename)).toEqual(['plan.txt']);
    expect(sent.headers.has('bcc')).toBe(false);
    await thread().getByText('Here is the plan.').waitFor();
    expect((await world.api(`/conversations/${id}`)).subject).toBeTruthy();

    // The answer bounces: the message says so, and offers what can be done.
    await write({
      envelope: { from: '', to: 'help@garden.example' },
      raw: [
        'From: MAILER-DAEMON@mx.example',
        'To: help@garden.example',
        'Subject: Undelivered',
        'Message-ID: <dsn@mx.example>',
        'MIME-Version: 1.0',
        'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
        '',
        '--b\r\nContent-Type: text/plain\r\n\r\nSorry.',
        '--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; klara@customer.example\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user',
        `--b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: help@garden.example\r\nMessage-ID: ${sent.messageId}`,
        '--b--',
        '',
      ].join('\r\n'),
    });
    await thread()
      .getByRole('alert')
      .getByText(/there is no such mailbox/i)
      .waitFor();
    await thread()
      .getByText(/no such user/)
      .waitFor();
    await shoot(page, 'mail-bounced');
  });

  /** Everything that mails on the page did beyond showing themselves. */
  const watch = () => {
    const seen: string[] = [];
    page.on('dialog', (dialog) => {
      seen.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('popup', (popup) => seen.push(`popup ${popup.url()}`));
    page.on('framenavigated', (frame) => {
      if (!['about:srcdoc', 'about:blank'].includes(frame.url()) && frame !== page.mainFrame()) seen.push(`navigation ${frame.url()}`);
    });
    return seen;
  };
  /** What stands in the frames that should not; one look at all of them. */
  const leftovers = () =>
    page.evaluate(() => {
      const outer = document.querySelector('[role=log]')!.getBoundingClientRect();
      return [...document.querySelectorAll('iframe')].flatMap((frame) => {
        const mail = frame.contentDocument!;
        const inner = frame.getBoundingClientRect();
        const found = [
          ...mail.querySelectorAll('script, form, input, button, iframe, object, embed, link, base, meta[http-equiv=refresh]'),
        ];
        // Links that would run something lead nowhere; the others open a window of their own, which nobody asked for here.
        const links = [...mail.querySelectorAll('a')].filter(
          (link) => /^\s*(javascript|vbscript|data):/i.test(link.getAttribute('href') ?? '') || link.target !== '_blank',
        );
        return [
          ...[...found, ...links].map((element) => element.outerHTML),
          ...(frame.sandbox.value === 'allow-same-origin allow-popups allow-popups-to-escape-sandbox' ? [] : [frame.sandbox.value]),
          ...(inner.left >= outer.left && inner.right <= outer.right ? [] : ['wider than the thread']),
        ];
      });
    });
  const nothingHappened = async (seen: string[], address: string) => {
    expect(await leftovers()).toEqual([]);
    expect(seen).toEqual([]);
    expect(strangers).toEqual([]);
    expect(page.url()).toBe(address);
    expect(await page.title()).toContain('Patchbay');
  };

  it('hostile mails that came in do nothing', async () => {
    await write({ subject: 'Hostile', text: 'x', html: `<p>You won</p>${HOSTILE.join('')}` });
    const { id } = await conversationOf('Hostile');
    const seen = watch();
    await page.goto(`${patchbay.url}/inbox/${id}`);
    await page.frameLocator('iframe[title="Hostile"]').getByText('You won').waitFor();
    await nothingHappened(seen, `${patchbay.url}/inbox/${id}`);
  });

  it('hostile mails do nothing even if the server had not cleaned them', async () => {
    await write({ subject: 'Uncleaned', text: 'x', html: '<p>x</p>' });
    const { id } = await conversationOf('Uncleaned');
    await page.route(`**/conversations/${id}/messages?*`, async (route) => {
      const response = await route.fetch();
      const [message] = (await response.json()).results;
      const results = HOSTILE.map((html, n) => ({
        ...message,
        id: `${message.id.slice(0, -4)}${String(n).padStart(4, '0')}`,
        content: { type: 'email', subject: `Mail ${n}`, text: 'x', html: `<p>shown ${n}</p>${html}` },
      }));
      return route.fulfill({ response, json: { results } });
    });
    const seen = watch();
    await page.goto(`${patchbay.url}/inbox/${id}`);
    const shown = () =>
      page.evaluate(
        () =>
          [...document.querySelectorAll('iframe')].filter((frame) => frame.contentDocument?.body?.textContent?.includes('shown')).length,
      );
    await expect.poll(shown, { timeout: 60_000 }).toBe(HOSTILE.length);
    await nothingHappened(seen, `${patchbay.url}/inbox/${id}`);
  }, 90_000);
});
