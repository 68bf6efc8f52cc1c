import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const PROJECT_ROOT = join(import.meta.dirname, '..', '..');

/** What is built for browsers, in order: each a folder with its own `vite.config.ts`, built into its `dist`. */
export const PAGES = [
  { folder: 'widget', title: 'widget' },
  { folder: 'web', title: 'control center and inbox' },
];

/** The pages that have sources and were not built yet. */
export function unbuiltPages(): typeof PAGES {
  return PAGES.filter(
    ({ folder }) => existsSync(join(PROJECT_ROOT, folder, 'vite.config.ts')) && !existsSync(join(PROJECT_ROOT, folder, 'dist')),
  );
}

/** Builds the pages that `npm ci` did not build (`--ignore-scripts`), in a process of its own that gives its memory back. */
export async function buildMissingPages(signal: AbortSignal): Promise<boolean> {
  if (unbuiltPages().length === 0) return true;
  const script = join(PROJECT_ROOT, 'scripts', 'build-pages.ts');
  const child = spawn(process.execPath, [script, '--missing'], { stdio: ['ignore', 'inherit', 'inherit'], signal });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}
