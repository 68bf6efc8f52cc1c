import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDataDir } from '../../src/store/data-dir.ts';
import { temporaryFolder } from '../support/patchbay.ts';

it('makes the folders on the way', async () => {
  const path = join(await temporaryFolder(), 'a', 'b', 'c');
  expect(await openDataDir(path)).toBe(path);
  expect((await stat(path)).isDirectory()).toBe(true);
  expect(await openDataDir(path)).toBe(path);
});

it('says which folder cannot be used, and why', async () => {
  const file = join(await temporaryFolder(), 'file');
  await writeFile(file, '');
  await expect(openDataDir(file)).rejects.toThrow(`DATA_DIR: cannot use ${file}: EEXIST`);
  await expect(openDataDir(join(file, 'below'))).rejects.toThrow('ENOTDIR');
});

it.skipIf(process.platform !== 'linux')('says so too where no folder can be made', async () => {
  await expect(openDataDir('/proc/patchbay/data')).rejects.toThrow('DATA_DIR: cannot use /proc/patchbay/data: ENOENT');
});
