import { mkdir, realpath } from 'node:fs/promises';
import { StartError } from '../start-error.ts';

/** Makes the data folder when it is missing; gives its real path. Throws `StartError` when it cannot be used. */
export async function openDataDir(path: string): Promise<string> {
  // As root another user runs the database: it passes through, and sees nothing but its own folder.
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  try {
    await mkdir(path, { recursive: true, mode });
    return await realpath(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

/** The error for a data folder that cannot be written to or read. */
export function unusable(path: string, error: unknown): StartError {
  return new StartError(`DATA_DIR: cannot use ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`, { cause: error });
}
