import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONFIG_VARIABLES } from '../../server/src/config.ts';
import { WidgetConfig } from '../../server/src/connectors/chatplugin/widget-config.ts';
import { Registry } from '../../server/src/connectors/registry.ts';
import { SCOPES } from '../../server/src/model/scopes.ts';
import { anchors, firstColumn, links } from './support/markdown.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (path: string) => readFile(join(ROOT, path), 'utf8');
const paths = [...(await Array.fromAsync(glob('docs/**/*.md', { cwd: ROOT }))), 'README.md', 'CHANGELOG.md', 'widget/README.md'];
const texts = new Map(await Promise.all(paths.map(async (path) => [normalize(path), await read(path)] as const)));
const { connectors } = new Registry();

/** The members of a union of words, read from the source: types are gone when the tests run. */
async function wordsOf(type: string): Promise<string[]> {
  const source = (await read('server/src/model/errors.ts')).replace(/\/\*\*.*?\*\//gs, '');
  const body = new RegExp(`export type ${type} =([\\s\\S]*?);`).exec(source)?.[1] ?? '';
  return [...body.matchAll(/\| '([^']+)'/g)].map((match) => match[1]!);
}

describe('links', () => {
  it.each([...texts])('of %s lead somewhere', (path, text) => {
    const broken = links(text).filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [file, anchor] = link.split('#');
      const target = file === '' ? path : normalize(join(dirname(path), decodeURI(file!)));
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && target.endsWith('.md') && !anchors(texts.get(target) ?? '').has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('reach every page from the index', () => {
    const seen = new Set<string>();
    const visit = (path: string) => {
      if (seen.has(path) || !texts.has(path)) return;
      seen.add(path);
      for (const link of links(texts.get(path)!)) visit(normalize(join(dirname(path), link.split('#')[0]!)));
    };
    visit(join('docs', 'README.md'));
    expect([...texts.keys()].filter((path) => path.startsWith('docs') && !seen.has(path))).toEqual([]);
  });
});

describe('what the code knows is documented', () => {
  it.each(connectors.map(({ source, guide }) => ({ source, guide })))('the source $source in docs/$guide', ({ guide }) => {
    expect(existsSync(join(ROOT, 'docs', guide)), guide).toBe(true);
    expect(links(texts.get(join('docs', 'channels', 'README.md'))!)).toContain(relative('channels', guide));
  });

  it('every setting, with its default', () => {
    const text = texts.get(join('docs', 'operations.md'))!;
    expect(firstColumn(text, 'variable').sort()).toEqual(CONFIG_VARIABLES.map(({ name }) => name).sort());
    for (const { name, default: fallback } of CONFIG_VARIABLES) {
      const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\``));
      if (fallback !== undefined) expect(row).toContain(`\`${fallback}\``);
    }
  });

  it('every key of the widget', () => {
    const listed = firstColumn(texts.get(join('docs', 'channels', 'live-chat.md'))!, 'key');
    expect([...listed].sort()).toEqual(Object.keys(WidgetConfig.properties).sort());
  });

  it('every code and class of errors', async () => {
    const text = texts.get(join('docs', 'errors.md'))!;
    expect(firstColumn(text, 'code')).toEqual(await wordsOf('ErrorCode'));
    expect(firstColumn(text, 'class')).toEqual(await wordsOf('ProviderErrorClass'));
  });

  it('every scope', () => {
    expect(firstColumn(texts.get(join('docs', 'api', 'workspaces.md'))!, 'scope')).toEqual([...SCOPES, '*']);
  });
});
