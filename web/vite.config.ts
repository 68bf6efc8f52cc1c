import { createReadStream, createWriteStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createBrotliCompress, createGzip, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { guides } from './guides-plugin.ts';

/** What may be loaded before the inbox paints for the first time, compressed. */
const LIMIT_BYTES = 250_000;

/** The route that people open first; its chunk counts as needed for the first paint. */
const FIRST_ROUTE = 'src/inbox/InboxPage.tsx';

/** Prints what the first paint loads, compressed, and fails the build above the limit. */
function firstPaintLimit(): Plugin {
  return {
    name: 'first-paint-limit',
    generateBundle(_options, bundle) {
      const wanted = new Set<string>();
      const want = (name: string) => {
        const file = bundle[name];
        if (!file || wanted.has(name)) return;
        wanted.add(name);
        if (file.type !== 'chunk') return;
        for (const imported of file.imports) want(imported);
        for (const css of file.viteMetadata?.importedCss ?? []) want(css);
      };
      for (const file of Object.values(bundle)) {
        if (file.type === 'chunk' && (file.isEntry || file.facadeModuleId?.endsWith(FIRST_ROUTE))) want(file.fileName);
      }
      let total = 0;
      for (const name of wanted) {
        const file = bundle[name]!;
        total += gzipSync(file.type === 'chunk' ? file.code : file.source).length;
      }
      console.info(`first paint: ${(total / 1000).toFixed(1)} kB gzip in ${wanted.size} files (limit ${LIMIT_BYTES / 1000} kB)`);
      if (total > LIMIT_BYTES) this.error(`the first paint takes ${total} bytes gzip, above the limit of ${LIMIT_BYTES}`);
    },
  };
}

/** Writes `.br` and `.gz` beside every text file, so that nothing is compressed while somebody waits. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    async closeBundle() {
      const dist = join(import.meta.dirname, 'dist');
      const files = (await readdir(dist, { recursive: true })).filter((name) => /\.(js|css|html|svg)$/.test(name));
      const brotli = () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
      await Promise.all(
        files.flatMap((name) => {
          const path = join(dist, name);
          return [
            pipeline(createReadStream(path), brotli(), createWriteStream(`${path}.br`)),
            pipeline(createReadStream(path), createGzip({ level: 9 }), createWriteStream(`${path}.gz`)),
          ];
        }),
      );
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), guides(), firstPaintLimit(), compressed()],
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    reportCompressedSize: false,
    // A data: address in a stylesheet would need an opening in the content security policy.
    assetsInlineLimit: 0,
  },
});
