import { mkdir, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StartError } from '../start-error.ts';

/** Makes the data folder when it is missing; gives its real path. Throws `StartError` when it cannot be used. */
export async function openDataDir(path: string): Promise<string> {
  // As root another user runs the database: it passes through, and sees nothing but its own folder.
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  try {
    await makeFolder(path, mode);
    return await realpath(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Also the folders on the way. Node's `recursive` never ends where one can be neither made nor found, as below `/proc`. */
async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || (await stat(parent).catch(() => undefined))) throw error;
    await makeFolder(parent, mode);
    await mkdir(path, { mode });
  }
}

/** The error for a data folder that cannot be written to or read. */
export function unusable(path: string, error: unknown): StartError {
  return new StartError(`DATA_DIR: cannot use ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`, { cause: error });
}
