import { randomBytes, randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { secretBytes, Unfit } from './config-checks.ts';
import { StartError } from './start-error.ts';
import { openDataDir, unusable } from './store/data-dir.ts';

/** The secret of the installation, kept in the file `secret` of the data folder: made when there is none. */
export async function loadSecret(dataDir: string): Promise<Buffer> {
  const path = join(await openDataDir(dataDir), 'secret');
  const draft = `${path}.${randomUUID()}`;
  let text: string;
  try {
    await writeFile(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flush: true });
    // A link appears whole or not at all, and never replaces a secret that is there.
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw unusable(dataDir, error);
  } finally {
    await rm(draft, { force: true });
  }
  try {
    return secretBytes(text.trim());
  } catch (error) {
    if (error instanceof Unfit) throw new StartError(`DATA_DIR: the file ${path} ${error.message}`);
    throw error;
  }
}
