/**
 * Bodies that are too large to hold in memory or to keep in the database (mails with big files): written to the disk as
 * they come, under the digest of their bytes. A raw event names its file in the content type; a file that none names any
 * more is removed.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Kept, Spool } from '../connectors/connector.ts';
import { notFound, PatchbayError } from '../model/errors.ts';
import { spooledFile } from '../model/spooled.ts';

/** Smaller bodies stay in memory, and go into the database. */
const IN_MEMORY = 1024 * 1024;
/** How much of a body in a file stands in the database too: a mail's headers, and its first lines. */
const BEGINNING = 64 * 1024;
/** What was written and never named: its sender was told to try again. */
const UNUSED_MS = 86_400_000;

export class DiskSpool implements Spool {
  readonly #folder: string;

  /** Makes its folder when it is needed. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async keep(source: AsyncIterable<Buffer>): Promise<Kept> {
    const hash = createHash('sha256');
    const held: Buffer[] = [];
    let size = 0;
    let part: { path: string; file: FileHandle } | undefined;
    try {
      for await (const chunk of source) {
        size += chunk.length;
        hash.update(chunk);
        if (part) await part.file.appendFile(chunk);
        else {
          held.push(chunk);
          if (size > IN_MEMORY) {
            part = await this.#begin();
            for (const early of held) await part.file.appendFile(early);
          }
        }
      }
      if (!part) return { body: Buffer.concat(held), size };
      const digest = hash.digest('hex');
      await this.#finish(part, digest);
      return { body: Buffer.concat(held).subarray(0, BEGINNING), size, file: digest };
    } catch (error) {
      if (part) {
        await part.file.close();
        await rm(part.path, { force: true });
      }
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC' || code === 'EDQUOT') {
        throw new PatchbayError('unavailable', 'the mail cannot be stored: the disk of DATA_DIR is full', { cause: error });
      }
      throw error;
    }
  }

  open(file: string): Readable {
    return createReadStream(join(this.#folder, file));
  }

  /** The whole body of a raw event, from its file where it has one. Throws `not-found` when that is gone. */
  async whole({ body, contentType }: { body: Buffer; contentType: string }): Promise<Buffer | Readable> {
    const name = spooledFile(contentType);
    if (!name) return body;
    try {
      return (await open(join(this.#folder, name), 'r')).createReadStream();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw notFound('file of this mail');
      throw error;
    }
  }

  /** Removes files that are older than a day and that nobody names; gives how many. `unnamed` tells which of some are. */
  async sweep(unnamed: (files: string[]) => Promise<string[]>, olderThanMs = UNUSED_MS): Promise<number> {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const old: string[] = [];
    for (const name of names) {
      const found = await stat(join(this.#folder, name)).catch(() => undefined);
      if (found && found.mtimeMs < Date.now() - olderThanMs) old.push(name);
    }
    const parts = old.filter((name) => name.endsWith('.part'));
    const gone = [...parts, ...(await unnamed(old.filter((name) => !name.endsWith('.part'))))];
    for (const name of gone) await rm(join(this.#folder, name), { force: true });
    return gone.length;
  }

  async #begin(): Promise<{ path: string; file: FileHandle }> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, `${randomBytes(12).toString('hex')}.part`);
    return { path, file: await open(path, 'wx', 0o600) };
  }

  /** On the disk under its name, and the name too. */
  async #finish({ path, file }: { path: string; file: FileHandle }, name: string): Promise<void> {
    await file.sync();
    await file.close();
    await rename(path, join(this.#folder, name));
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}
