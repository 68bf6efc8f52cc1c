/** Files: stored once by their content, fetched from providers in the background, served under signed addresses. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileTypeFromBuffer } from 'file-type';
import { notFound, PatchbayError } from '../model/errors.ts';
import { uuidv7 } from '../model/ids.ts';
import type { Database } from '../store/database.ts';
import { getMedia, insertReadyMedia, type MediaRow } from '../store/media.ts';

/** Largest file that people may upload. */
export const MAX_UPLOAD_BYTES = 64 * 1024 * 1024;

/** Shown in the browser as they are; everything else is only ever downloaded. */
const INLINE_TYPES = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'video/mp4',
  'video/webm',
  'video/quicktime',
  'video/3gpp',
  'audio/mpeg',
  'audio/mp4',
  'audio/aac',
  'audio/amr',
  'audio/ogg',
  'audio/wav',
  'audio/webm',
  'audio/x-m4a',
  'application/pdf',
  'text/plain',
]);

/** How much of a file its type is told from. */
const TYPE_BYTES = 1024 * 1024;

/** Types by ending that no bytes give away. */
const TEXT_TYPES = new Map(
  Object.entries({
    txt: 'text/plain',
    csv: 'text/csv',
    ics: 'text/calendar',
    vcf: 'text/vcard',
    json: 'application/json',
  }),
);

/** Older Office files look alike from the inside; their names tell them apart. */
const OLD_OFFICE = 'application/x-cfb';
const OLD_OFFICE_TYPES = new Map(
  Object.entries({
    doc: 'application/msword',
    xls: 'application/vnd.ms-excel',
    ppt: 'application/vnd.ms-powerpoint',
  }),
);
/** What file-type calls otherwise than everybody else. */
const USUAL_NAMES: Record<string, string> = { 'audio/x-m4a': 'audio/mp4' };

export interface StoredFile {
  id: string;
  sha256: string;
  mimeType: string;
  size: number;
  filename: string | null;
}

export interface MediaOptions {
  database: Database;
  /** `DATA_DIR/media`. */
  folder: string;
  publicUrl: string;
  /** Signs addresses. */
  secret: Buffer;
}

export class Media {
  readonly #options: MediaOptions;

  constructor(options: MediaOptions) {
    this.#options = options;
  }

  /** Stores a file that somebody uploaded, under an id that was promised or a new one. Throws `invalid` for an empty one and `too-large`. */
  async upload(workspaceId: string, data: Buffer, file: { filename?: string; channelId?: string; id?: string }): Promise<StoredFile> {
    if (data.length === 0) throw new PatchbayError('invalid', 'the file is empty', { problems: [{ field: 'file', message: 'is empty' }] });
    if (data.length > MAX_UPLOAD_BYTES) throw new PatchbayError('too-large', `files may have ${MAX_UPLOAD_BYTES / 1024 / 1024} MB at most`);
    const stored = await this.write(data, file.filename);
    const id = file.id ?? uuidv7();
    const filename = file.filename ? safeName(file.filename) : null;
    await insertReadyMedia(this.#options.database, { workspaceId, id, ...stored, filename, channelId: file.channelId ?? null });
    return { id, ...stored, filename };
  }

  /** Writes bytes under their digest; the same bytes are kept once. The type is told from the bytes, not from the name. */
  async write(
    data: Buffer | AsyncIterable<Buffer>,
    filename?: string,
    declaredType?: string,
  ): Promise<{ sha256: string; mimeType: string; size: number }> {
    const facts = new Facts();
    const part = join(this.#options.folder, `${randomBytes(12).toString('hex')}.part`);
    try {
      await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
      await writeFile(part, facts.of(Buffer.isBuffer(data) ? [data] : data), { mode: 0o600, flush: true });
      const path = this.#pathOf(facts.sha256());
      await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw hasNoRoom(error)
        ? new PatchbayError('unavailable', 'the file cannot be stored: the disk of DATA_DIR is full', { cause: error })
        : error;
    }
    return { sha256: facts.sha256(), mimeType: await typeOf(facts.head(), filename, declaredType), size: facts.size };
  }

  /** The bytes of a stored file; undefined when there is none, or when it is not fetched yet. */
  async open(workspaceId: string, id: string): Promise<{ data: Buffer; mimeType: string; filename?: string } | undefined> {
    const row = await getMedia(this.#options.database, workspaceId, id);
    if (row?.state !== 'ready' || !row.sha256) return undefined;
    return {
      data: await readFile(this.#pathOf(row.sha256)),
      mimeType: row.mimeType ?? 'application/octet-stream',
      ...(row.filename ? { filename: row.filename } : {}),
    };
  }

  /** A stored file for serving. Throws `not-found`, also while it is still being fetched. */
  async serve(workspaceId: string, id: string): Promise<{ stream: ReadStream; headers: Record<string, string> }> {
    const row = await getMedia(this.#options.database, workspaceId, id);
    if (row?.state !== 'ready' || !row.sha256) throw notFound('file');
    return { stream: createReadStream(this.#pathOf(row.sha256)), headers: headersOf(row) };
  }

  /** The file's address under PUBLIC_URL. Whoever has it may fetch the file; it cannot be guessed. */
  signedUrl(workspaceId: string, id: string): string {
    return `${this.#options.publicUrl}/media/${workspaceId}/${id}?s=${this.#sign(workspaceId, id)}`;
  }

  /** True when the signature is the one that `signedUrl` gave. */
  verify(workspaceId: string, id: string, signature: string): boolean {
    const expected = Buffer.from(this.#sign(workspaceId, id));
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  /** The id of the file behind one of our own addresses; undefined for any other address. */
  idOf(workspaceId: string, url: string): string | undefined {
    const match = /^\/media\/([0-9a-f-]{36})\/([0-9a-f-]{36})$/.exec(URL.parse(url)?.pathname ?? '');
    if (!match || !url.startsWith(this.#options.publicUrl) || match[1] !== workspaceId) return undefined;
    return this.verify(workspaceId, match[2]!, URL.parse(url)?.searchParams.get('s') ?? '') ? match[2] : undefined;
  }

  #sign(workspaceId: string, id: string): string {
    return createHmac('sha256', this.#options.secret).update(`${workspaceId}/${id}`).digest('base64url').slice(0, 32);
  }

  #pathOf(sha256: string): string {
    return join(this.#options.folder, sha256.slice(0, 2), sha256);
  }
}

/** What there is to know of bytes that are seen once, on their way. */
class Facts {
  size = 0;
  readonly #hash = createHash('sha256');
  readonly #head: Buffer[] = [];
  #digest: string | undefined;

  async *of(source: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      if (this.size < TYPE_BYTES) this.#head.push(chunk);
      this.size += chunk.length;
      this.#hash.update(chunk);
      yield chunk;
    }
  }

  /** Once all were seen. */
  sha256(): string {
    this.#digest ??= this.#hash.digest('hex');
    return this.#digest;
  }

  head(): Buffer {
    return this.#head.length === 1 ? this.#head[0]! : Buffer.concat(this.#head);
  }
}

async function typeOf(data: Buffer, filename: string | undefined, declared: string | undefined): Promise<string> {
  const detected = await fileTypeFromBuffer(data);
  const ending = filename?.split('.').at(-1)?.toLowerCase() ?? '';
  const oldOffice = detected?.mime === OLD_OFFICE ? OLD_OFFICE_TYPES.get(ending) : undefined;
  if (oldOffice) return oldOffice;
  if (detected) return USUAL_NAMES[detected.mime] ?? detected.mime;
  const known = TEXT_TYPES.get(ending);
  if (known) return known;
  // What claims to be a page or a script stays a file: it must never run under our address.
  if (declared && /^(audio|video)\/|^text\/plain/.test(declared)) return declared.split(';')[0]!;
  return 'application/octet-stream';
}

function hasNoRoom(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function headersOf(row: MediaRow): Record<string, string> {
  const type = row.mimeType ?? 'application/octet-stream';
  const inline = INLINE_TYPES.has(type);
  const name = row.filename ?? 'file';
  const ascii = name.replace(/[^\x20-\x7e]|["\\]/g, '_');
  return {
    'content-type': inline ? type : 'application/octet-stream',
    'content-length': String(row.size ?? 0),
    'content-disposition': `${inline ? 'inline' : 'attachment'}; filename="${ascii}"; filename*=UTF-8''${encodeURIComponent(name)}`,
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'cross-origin',
    'cache-control': 'private, max-age=31536000, immutable',
  };
}

function safeName(name: string): string {
  return name.replace(/[\p{Cc}/\\]/gu, '_').slice(-200);
}
