import { createHash, randomInt } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 238 bits: a plain hash is enough to keep it. */
const LENGTH = 40;
const PREFIX_LENGTH = 12;

/** What a key of the default workspace may do: everything, also what later versions add. */
export const EVERY_SCOPE = '*';

/** A new key, `ak_live_…` or, for sandbox channels only, `ak_test_…`. */
export function generateApiKey(sandbox = false): string {
  const random = Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `${sandbox ? 'ak_test_' : 'ak_live_'}${random}`;
}

/** What is stored of a key: its hash, its recognisable beginning, and whether it is a sandbox's. */
export function storedFormOf(key: string): { hash: Buffer; prefix: string; sandbox: boolean } {
  return { hash: hashApiKey(key), prefix: key.slice(0, PREFIX_LENGTH), sandbox: key.startsWith('ak_test_') };
}

export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
