// Where the server lies as one file, and whether that is made of the sources as they are.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..');
export const FOLDER = join(ROOT, 'server', 'dist');
export const MADE_OF = join(FOLDER, 'made-of');

/** What the sources and the packages say, as one word. */
export function wordOfSources(): string {
  const hash = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')));
  for (const folder of ['server/src', 'sandbox']) {
    const files = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => /\.(ts|sql)$/.test(path));
    for (const path of paths.sort()) hash.update(path.slice(ROOT.length)).update('\0').update(readFileSync(path));
  }
  return hash.digest('hex');
}

/** True while the one file says what the sources say. */
export function isFresh(): boolean {
  try {
    return readFileSync(MADE_OF, 'utf8') === wordOfSources();
  } catch {
    return false;
  }
}
