// Builds what browsers load. Runs at install and, with --missing, at a first start without it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PAGES, PROJECT_ROOT, unbuiltPages } from '../server/src/pages.ts';

const wanted = process.argv.includes('--missing')
  ? unbuiltPages()
  : PAGES.filter(({ folder }) => existsSync(join(PROJECT_ROOT, folder, 'vite.config.ts')));

if (wanted.length > 0) {
  // Whoever calls (a test run, say): browsers get the libraries' production builds.
  process.env.NODE_ENV = 'production';
  const { build } = await import('vite');
  for (const { folder, title } of wanted) {
    const begin = performance.now();
    process.stdout.write(`Building the ${title} … `);
    const root = join(PROJECT_ROOT, folder);
    await build({ root, configFile: join(root, 'vite.config.ts'), logLevel: 'warn' });
    process.stdout.write(`${((performance.now() - begin) / 1000).toFixed(1)} s\n`);
  }
}
