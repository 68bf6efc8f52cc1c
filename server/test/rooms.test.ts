/** docs/architecture.md: imports run downwards, and what is about one provider stays in its connector. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '..', 'src');
/** What each room may import from. */
const BELOW: Record<string, string[]> = {
  model: [],
  connectors: ['model'],
  store: ['model', 'connectors'],
  engine: ['model', 'connectors', 'store'],
  api: ['model', 'connectors', 'store', 'engine'],
};
/** The far end of these is our own, and no provider. */
const OURS = [
  ['engine/mail-server.ts', 'connectors/email/server.ts'],
  ['engine/visitor-events.ts', 'connectors/chatplugin/index.ts'],
  ['api/live/visitors.ts', 'connectors/chatplugin/index.ts'],
  ['api/airy/sources.ts', 'connectors/custom/index.ts'],
  ['api/airy/source-webhook.ts', 'connectors/custom/index.ts'],
];

interface Import {
  file: string;
  target: string;
}

async function importsOf(room: string): Promise<Import[]> {
  const files = (await readdir(join(SRC, room), { recursive: true })).filter((name) => name.endsWith('.ts'));
  const found = files.map(async (name) => {
    const text = await readFile(join(SRC, room, name), 'utf8');
    return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path]): Import => {
      const target = join(room, name, '..', path!);
      return { file: join(room, name), target };
    });
  });
  return (await Promise.all(found)).flat();
}

it.each(Object.keys(BELOW))('%s imports only from the rooms below it', async (room) => {
  const imports = await importsOf(room);
  expect(imports.length).toBeGreaterThan(0);
  const wrong = imports.filter(({ target }) => {
    const to = target.split('/')[0]!;
    // The stand-ins of providers are a project of their own; the connectors' simulations bring them in.
    if (to === '..' && room === 'connectors') return !target.startsWith('../../sandbox/');
    return to !== room && to in BELOW && !BELOW[room]!.includes(to);
  });
  expect(wrong).toEqual([]);
});

it.each(['engine', 'api', 'store'])('%s knows no provider', async (room) => {
  const imports = await importsOf(room);
  const providers = imports.filter(({ target }) => /^connectors\/[^/]+\//.test(target));
  const allowed = new Set(OURS.map((pair) => pair.join(' ')));
  expect(providers.filter(({ file, target }) => !allowed.has(`${file} ${target}`))).toEqual([]);
});

it('the engine names no source of a provider', async () => {
  const files = (await readdir(join(SRC, 'engine'), { recursive: true })).filter((name) => name.endsWith('.ts'));
  const named = await Promise.all(
    files.map(async (name) => {
      const text = await readFile(join(SRC, 'engine', name), 'utf8');
      return /['"`](whatsapp|facebook|instagram|twilio[.\w]*|google|rcs|microsoft)['"`]|\b(META|TWILIO|GOOGLE|MICROSOFT)_/.test(text)
        ? [name]
        : [];
    }),
  );
  expect(named.flat()).toEqual([]);
});
