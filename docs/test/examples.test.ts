import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetaSandbox } from '../../sandbox/meta/index.ts';
import { type RunningPatchbay, startPatchbay, temporaryFolder } from '../../server/test/support/patchbay.ts';
import { type Example, examples } from './support/markdown.ts';
import { difference, lineDifference } from './support/matches.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDERS = (process.env.PATH ?? '').split(delimiter);
const MISSING = ['bash', 'curl', 'jq'].filter((program) => !FOLDERS.some((folder) => existsSync(join(folder, program))));
if (MISSING.length > 0) console.warn(`The examples of the documentation are not run, this machine lacks: ${MISSING.join(', ')}`);

const surfaces = (await readdir(join(ROOT, 'docs', 'api'))).filter((name) => name.endsWith('.md')).map((name) => join('docs', 'api', name));
const pages = await Promise.all(
  [...surfaces, join('docs', 'channels', 'live-chat.md'), 'README.md'].map(async (path) => {
    return { path, examples: examples(await readFile(join(ROOT, path), 'utf8')) };
  }),
);

/** Runs one block with what the blocks before it on its page have set; gives what it printed. */
async function run(example: Example, state: string, env: Record<string, string>): Promise<string> {
  const script = `set -a -euo pipefail; . "$EXAMPLE_STATE"\n${example.script}\n{ export -p; declare -f; } >"$EXAMPLE_STATE"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    cwd: ROOT,
    env: { ...env, EXAMPLE_STATE: state },
    timeout: 25_000,
  });
  return stdout;
}

describe.skipIf(MISSING.length > 0)('the examples of the documentation', () => {
  // The stand-in for Meta, with the account that the pages connect.
  const meta = createMetaSandbox({
    appId: '1234567890',
    appSecret: 'documentation',
    tokens: [{ value: 'wa_api_key' }],
    wabas: [{ id: '987654321', numbers: [{ id: '123456789', display_phone_number: '+33 6 12 34 56 78', verified_name: 'Example' }] }],
  });
  let patchbay: RunningPatchbay;
  let folder: string;

  beforeAll(async () => {
    const graph = await meta.app.listen({ port: 0, host: '127.0.0.1' });
    folder = await temporaryFolder();
    patchbay = await startPatchbay({
      META_GRAPH_URL: graph,
      META_APP_ID: '1234567890',
      META_APP_SECRET: 'documentation',
      ALLOW_PRIVATE_NETWORK: '1',
    });
  });
  afterAll(async () => {
    await patchbay?.stop();
    await meta.app.close();
  });

  it.each(pages.filter((page) => page.examples.length > 0))('$path', async ({ path, examples: blocks }) => {
    const state = join(folder, path.replaceAll('/', '-'));
    await writeFile(state, '');
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      PATCHBAY_URL: patchbay.url,
      PATCHBAY_API_KEY: patchbay.apiKey!,
      WORKSPACE_ID: patchbay.workspaceId!,
    };
    for (const block of blocks) {
      const place = `${path}:${block.line}`;
      let printed: string;
      try {
        printed = await run(block, state, env);
      } catch (error) {
        throw new Error(`${place} failed: ${(error as Error).message}\n${(error as { stdout?: string }).stdout ?? ''}`, { cause: error });
      }
      if (!block.expected) continue;
      const reason =
        block.expected.kind === 'json'
          ? difference(JSON.parse(block.expected.text), parsed(printed, place))
          : lineDifference(block.expected.text, printed);
      expect(reason, place).toBeUndefined();
    }
  });

  it('has examples on every page of the API', () => {
    expect(pages.filter((page) => page.examples.length === 0).map((page) => page.path)).toEqual([]);
  });
});

function parsed(text: string, place: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(`${place} printed no JSON: ${text}`);
  }
}

describe('comparing an example with its page', () => {
  it('takes … for anything, and more fields than are shown', () => {
    expect(difference({ id: '…', key: 'ak_live_…' }, { id: 'x', key: 'ak_live_1', more: 1 })).toBeUndefined();
    expect(difference([{ a: 1 }, '…'], [{ a: 1 }, 2, 3])).toBeUndefined();
  });

  it('says where they differ', () => {
    expect(difference({ a: [{ b: 1 }] }, { a: [{ b: 2 }] })).toBe('$.a[0].b: 1 expected, 2 there');
    expect(difference({ a: 1 }, {})).toBe('$.a is missing');
    expect(difference([1], [1, 2])).toContain('1 expected, 2 there');
    expect(lineDifference('one\nthr…', 'one\ntwo\nthree')).toBeUndefined();
    expect(lineDifference('two\none', 'one\ntwo')).toContain('no line "one"');
  });
});
