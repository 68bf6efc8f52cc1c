import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { build } from 'vite';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));

/** True where there is a browser to drive. Says loudly when there is none. */
export const hasBrowser = CHROMIUM !== undefined;
if (!hasBrowser) console.warn('SKIPPED: no Chromium on this machine, so the widget is not driven in a browser');

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

/** Builds the widget as it ships, the size check included, and gives its code. */
export async function buildWidget(): Promise<string> {
  const root = join(import.meta.dirname, '..');
  await build({ configFile: join(root, 'vite.config.ts'), logLevel: 'error' });
  return readFileSync(join(root, 'dist/widget.js'), 'utf8');
}

/** A customer's page on an origin of its own. `head` is put into it with every request. */
export class ShopPage {
  head = '';
  #server: Server | undefined;

  async start(): Promise<void> {
    this.#server = createServer((_request, response) => {
      // What a careful shop sends: nothing inline, scripts and connections to the chat's host alone.
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(
        `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Shop</title>${this.head}<body><h1>Shop</h1><button id="before">Buy</button></body></html>`,
      );
    });
    await new Promise<void>((resolve) => this.#server!.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server!.address() as AddressInfo).port}/`;
  }

  stop(): Promise<unknown> {
    this.#server?.closeAllConnections();
    return new Promise((resolve) => this.#server?.close(resolve));
  }
}
