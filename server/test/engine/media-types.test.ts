import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Media } from '../../src/engine/media.ts';

let folder: string;
let media: Media;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'patchbay-media-'));
  // Writing touches the disk only.
  media = new Media({ database: undefined as never, folder, publicUrl: 'http://x.example', secret: Buffer.alloc(32) });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const OLD_OFFICE = Buffer.from('d0cf11e0a1b11ae1', 'hex');

it.each([
  ['a.csv', 'a,b', 'text/csv'],
  ['a.doc', OLD_OFFICE, 'application/msword'],
  ['a.html', '<script>', 'application/octet-stream'],
  ['a.constructor', 'a,b', 'application/octet-stream'],
  ['a.__proto__', 'a,b', 'application/octet-stream'],
  ['a.constructor', OLD_OFFICE, 'application/x-cfb'],
])('takes what no bytes give away from the name %s', async (filename, bytes, mimeType) => {
  expect(await media.write(Buffer.from(bytes), filename)).toMatchObject({ mimeType });
});
