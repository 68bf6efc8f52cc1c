import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { inject } from 'vitest';
import type {} from '../../../server/test/support/global-setup.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));

/** True where there is a browser to drive. Says loudly when there is none. */
export const hasBrowser = CHROMIUM !== undefined;
if (!hasBrowser) console.warn('SKIPPED: no Chromium on this machine, so the pages are not driven in a browser');

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Builds the pages as they ship, their size check included: once in a run, so that no file's build disturbs another's pages. */
export async function buildPages(): Promise<void> {
  const answer = await fetch(new URL('/pages', inject('testServerUrl')));
  if (!answer.ok) throw new Error(`the pages could not be built: ${await answer.text()}`);
}

/** A page that is signed in, and what its scripts complained about. */
export async function openPage(context: BrowserContext, url: string, complaints: string[]): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // A refused request is told there too, and is part of some tests.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
  });
  await page.goto(url);
  return page;
}
