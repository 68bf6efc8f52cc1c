import { createHash, randomFillSync } from 'node:crypto';

let lastMs = 0;
let counter = 0;

/** Randomness for many ids at once: a call for each costs more than all the rest of making one. */
const pool = Buffer.alloc(4096);
let used = pool.length;

function random(bytes: number): Buffer {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.subarray(used - bytes, used);
}

/** A UUIDv7 (RFC 9562): sorts by creation time, also within one millisecond of one process. */
export function uuidv7(now: number = Date.now()): string {
  if (now > lastMs) {
    lastMs = now;
    counter = random(2).readUInt16BE() & 0x7ff;
  } else if (++counter > 0xfff) {
    lastMs += 1;
    counter = 0;
  }
  const bytes = random(16);
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | counter, 6);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return format(bytes);
}

/** Not larger than any UUIDv7 that was made at a time or later: where a search by time begins. */
export function firstUuidv7At(ms: number): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(ms, 0, 6);
  return format(bytes);
}

/** Of what is made together under one UUIDv7, the nth one's: the same each time, and sorted by n and by the time of the one. */
export function nthOf(id: string, n: number): string {
  const time = Buffer.from(id.replaceAll('-', '').slice(0, 12), 'hex');
  const rest = createHash('sha256').update(`${n} of ${id}`).digest().subarray(0, 10);
  rest.writeUInt16BE(0x7000 | (n & 0xfff), 0);
  rest[2] = (rest[2]! & 0x3f) | 0x80;
  return format(Buffer.concat([time, rest]));
}

/** A UUID that the same name always gives: SHA-1 of the name, version and variant bits set. */
export function uuidOf(name: string): string {
  const bytes = createHash('sha1').update(name).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return format(bytes);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for any UUID in its usual written form, upper or lower case. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

function format(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
