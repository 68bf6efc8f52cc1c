/** Encrypts what providers trusted us with: AES-256-GCM, bound to the row that it belongs to. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface Sealed {
  data: Buffer;
  /** Names the key that sealed it, so that keys can be replaced one row at a time. */
  keyId: string;
}

export class Vault {
  readonly #keys = new Map<string, Buffer>();
  readonly #current: string;

  /** `secrets`: 32 bytes each; the first one seals, the others still open what they sealed before. */
  constructor(secrets: Buffer[]) {
    for (const secret of secrets) this.#keys.set(keyIdOf(secret), secret);
    this.#current = keyIdOf(secrets[0]!);
  }

  /** Names of the keys that only open. */
  get olderKeyIds(): string[] {
    return [...this.#keys.keys()].filter((id) => id !== this.#current);
  }

  /** Seals a value; `context` (workspace and row) must be the same when it is opened. */
  seal(value: unknown, context: string): Sealed {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#keys.get(this.#current)!, nonce).setAAD(Buffer.from(context));
    const data = Buffer.concat([nonce, cipher.update(JSON.stringify(value), 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return { data, keyId: this.#current };
  }

  /** Opens a sealed value. Throws when the key is not among ours, or when it was changed or moved. */
  open(data: Buffer, keyId: string, context: string): unknown {
    const key = this.#keys.get(keyId);
    if (!key) throw new Error(`credentials were sealed with the key ${keyId}, which PATCHBAY_SECRET is not`);
    const decipher = createDecipheriv('aes-256-gcm', key, data.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(context));
    decipher.setAuthTag(data.subarray(data.length - TAG_BYTES));
    const text = Buffer.concat([decipher.update(data.subarray(NONCE_BYTES, data.length - TAG_BYTES)), decipher.final()]);
    return JSON.parse(text.toString('utf8'));
  }

  /** A key for another purpose (signing tokens and addresses), derived from the current one. */
  derive(purpose: string): Buffer {
    return createHash('sha256').update(this.#keys.get(this.#current)!).update(`\n${purpose}`).digest();
  }
}

function keyIdOf(secret: Buffer): string {
  return createHash('sha256').update('patchbay key id\n').update(secret).digest('hex').slice(0, 12);
}
