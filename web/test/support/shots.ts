/** Pictures of the pages for people to look at: `SHOTS=<folder> npx vitest run web/test/…`. Nothing happens without. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';

const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };

export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env.SHOTS;
  if (!folder) return;
  for (const [device, size] of Object.entries({ wide: WIDE, phone: PHONE })) {
    await page.setViewportSize(size);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.evaluate((scheme) => document.documentElement.setAttribute('data-mantine-color-scheme', scheme), colorScheme);
      await page.screenshot({ path: join(folder, `${name}-${device}-${colorScheme}.png`) });
    }
  }
  await page.evaluate(() => document.documentElement.setAttribute('data-mantine-color-scheme', 'light'));
  await page.setViewportSize(WIDE);
}
