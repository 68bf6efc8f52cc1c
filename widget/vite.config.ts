import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** What draws JSX. */
const VIEW = join(import.meta.dirname, 'src/view/view.ts');

/** What the widget may cost a customer's page, however it is compressed on its way. */
const LIMIT_BYTES = 20_000;

/** Writes the compressed files beside the plain one, prints their sizes, and fails the build above the limit. */
function compress(): Plugin {
  return {
    name: 'compress',
    writeBundle({ dir = '' }, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type !== 'chunk') continue;
        const brotli = brotliCompressSync(file.code, {
          params: { [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT, [constants.BROTLI_PARAM_QUALITY]: 11 },
        });
        const gzip = gzipSync(file.code, { level: 9 });
        writeFileSync(join(dir, `${file.fileName}.br`), brotli);
        writeFileSync(join(dir, `${file.fileName}.gz`), gzip);
        const sizes = `${file.fileName}: ${gzip.length} bytes gzip, ${brotli.length} bytes brotli (limit ${LIMIT_BYTES})`;
        console.info(sizes);
        if (Math.max(gzip.length, brotli.length) > LIMIT_BYTES) this.error(`the widget is too large: ${sizes}`);
      }
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  oxc: {
    // The classic runtime makes the smaller file; NODE_ENV must not put debugging aids into it.
    jsx: { runtime: 'classic', pragma: 'h', pragmaFrag: 'Fragment', development: false },
  },
  plugins: [compress()],
  publicDir: false,
  build: {
    // The style sheet needs `oklch(from …)`.
    target: ['chrome119', 'safari16.4', 'firefox128'],
    outDir: 'dist',
    emptyOutDir: true,
    reportCompressedSize: false,
    rolldownOptions: { transform: { inject: { h: [VIEW, 'h'], Fragment: [VIEW, 'Fragment'] } } },
    lib: { entry: 'src/main.tsx', formats: ['iife'], name: 'PatchbayWidget', fileName: () => 'widget.js' },
  },
});
