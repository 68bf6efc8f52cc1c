/** Cleaned mails in a real browser: nothing runs, nothing is asked for, nothing leaves its place. */
import { existsSync, readFileSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmailContent } from '../../../src/model/content.ts';
import { sanitizeMailHtml } from '../../../src/model/mail-html.ts';
import { HOSTILE } from './hostile.ts';
import { evidenceMails, message } from './mail.ts';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const missing = !existsSync(CHROMIUM);
if (missing) console.warn(`SKIPPED: no browser at ${CHROMIUM}; set CHROMIUM_PATH`);

describe.skipIf(missing)('in a real browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });
  afterAll(() => browser?.close());

  /** Everything that a page did beyond showing itself. */
  async function effects(html: string): Promise<string[]> {
    const page = await browser.newPage();
    const seen: string[] = [];
    page.on('dialog', (dialog) => {
      seen.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!request.url().startsWith('data:')) seen.push(`request ${request.url()}`);
    });
    page.on('pageerror', (error) => seen.push(`script ${error.message}`));
    await page.setContent(`<!doctype html><body><div id="mail">${html}</div></body>`, { waitUntil: 'load' });
    const fixed = await page.evaluate(
      () =>
        [...document.querySelectorAll('#mail *')].filter((element) =>
          ['fixed', 'absolute', 'sticky'].includes(getComputedStyle(element).position),
        ).length,
    );
    if (fixed > 0) seen.push('left its place');
    if ((await page.locator('#mail').count()) !== 1) seen.push('broke out');
    await page.close();
    return seen;
  }

  it('hostile mails do something uncleaned, and nothing cleaned', { timeout: 240_000 }, async () => {
    expect(await effects('<img src=x onerror=alert(1)>')).toContain('dialog 1');
    for (const html of HOSTILE) expect(await effects(sanitizeMailHtml(html).html)).toEqual([]);
    expect(await effects(sanitizeMailHtml(HOSTILE.join('')).html)).toEqual([]);
  });

  const files = evidenceMails();
  it.skipIf(files.length === 0)('the mails of the evidence are shown', { timeout: 240_000 }, async () => {
    const mails = await Promise.all(files.map(async (file) => (await message(readFileSync(file))).content as EmailContent));
    const html = mails.flatMap((mail) => (mail.html ? [sanitizeMailHtml(mail.html).html] : []));
    expect(html.length).toBeGreaterThan(10);
    for (const one of html) expect(await effects(one)).toEqual([]);
  });
});
