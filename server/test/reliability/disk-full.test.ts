/** A full disk: files are refused with a reason, nothing is kept in part, and everything else goes on. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { startPatchbay, temporaryFolder } from '../support/patchbay.ts';

const KEY = 'ak_live_fullfullfullfullfullfullfullfullfullfull';
const WORKSPACE = '018f0000-0000-7000-8000-0000000000ab';
const isRoot = process.getuid?.() === 0;
const mounted: string[] = [];
afterAll(() => {
  for (const folder of mounted) spawnSync('umount', ['--lazy', folder]);
});

/** A disk of half a megabyte; undefined where none may be mounted. */
async function smallDisk(): Promise<string | undefined> {
  const folder = join(await temporaryFolder(), 'data');
  await mkdir(folder);
  if (!isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'none', folder]).status !== 0) return undefined;
  mounted.push(folder);
  return folder;
}
const dataDir = await smallDisk();
if (!dataDir) console.warn('SKIPPED: a full disk (not root, or no tmpfs may be mounted here)');

const filesIn = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => entry.name);

it.skipIf(!dataDir)('refuses a file that has no room, keeps nothing of it, and lives', async () => {
  const { database, url } = await testDatabase();
  const env = { DATABASE_URL: url, DATA_DIR: dataDir!, PATCHBAY_API_KEY: KEY, PATCHBAY_WORKSPACE_ID: WORKSPACE, LOG_LEVEL: 'error' };
  const patchbay = await startPatchbay(env);
  const upload = async (path: string, bytes: number) => {
    const form = new FormData();
    form.set('file', new Blob([randomBytes(bytes)]), 'scan.bin');
    const response = await fetch(`${patchbay.url}/${path}`, { method: 'POST', headers: { 'x-api-key': KEY }, body: form });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };
  for (const path of ['media.upload', `workspaces/${WORKSPACE}/media`]) {
    const refused = await upload(path, 700_000);
    expect(refused, path).toMatchObject({ status: 503, body: { message: expect.stringContaining('the disk of DATA_DIR is full') } });
  }
  expect((await filesIn(dataDir!)).filter((name) => name !== 'secret')).toEqual([]);
  expect((await database.query('select 1 from media')).rows).toEqual([]);
  expect((await upload('media.upload', 100_000)).status).toBe(200);
  expect((await upload(`workspaces/${WORKSPACE}/media`, 100_000)).status).toBe(201);

  // Not a byte is left: whatever does not touch the files goes on.
  spawnSync('dd', ['if=/dev/zero', `of=${join(dataDir!, 'ballast')}`, 'bs=4k']);
  const full = await upload('media.upload', 50_000);
  expect(full.status).toBe(503);
  const connected = await fetch(`${patchbay.url}/channels.chatplugin.connect`, {
    method: 'POST',
    headers: { 'x-api-key': KEY, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'site' }),
  });
  expect(connected.status).toBe(200);
  expect((await fetch(`${patchbay.url}/readyz`)).status).toBe(200);
  execFileSync('rm', [join(dataDir!, 'ballast')]);
  expect((await upload('media.upload', 50_000)).status).toBe(200);
  await patchbay.stop();
});
