/** Checks of single settings: each takes the text and gives its value, or throws what is wrong with it, never the text itself. */
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { isUuid } from './model/ids.ts';

export type Check<T> = (text: string) => T;

/** What a setting should have been; the variable's name is put in front of it. */
export class Unfit extends Error {}

export function integer(min: number, max: number): Check<number> {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) throw new Unfit(`must be a whole number from ${min} to ${max}`);
    return value;
  };
}

export const flag: Check<boolean> = (text) => {
  if (text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  throw new Unfit('must be 0 or 1');
};

export function oneOf<T extends string>(...values: T[]): Check<T> {
  return (text) => {
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) throw new Unfit(`must be one of ${values.join(', ')}`);
    return value;
  };
}

/** Any text on one line. */
export const line: Check<string> = (text) => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) throw new Unfit('must be text on one line');
  return text;
};

export const host: Check<string> = (text) => {
  if (!/^[\w.:%-]+$/.test(text)) throw new Unfit('must be a host name or an IP address');
  return text;
};

/** An http or https address without query and fragment; given without the slash at its end. */
export const httpUrl: Check<string> = (text) => {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new Unfit('must be an http:// or https:// address without user, query and fragment');
  }
  return text.replace(/\/+$/, '');
};

/** Web origins, separated by commas. */
export const origins: Check<string[]> = (text) =>
  text
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '')
    .map((origin) => {
      const url = URL.parse(origin);
      if (!url || !/^https?:$/.test(url.protocol) || url.origin !== origin.replace(/\/$/, '').toLowerCase()) {
        throw new Unfit('must be origins like https://example.com, separated by commas');
      }
      return url.origin;
    });

export const postgresUrl: Check<string> = (text) => {
  const unfit = new Unfit('must be a postgresql:// address');
  if (!/^postgres(ql)?:\/\//.test(text)) throw unfit;
  try {
    new pg.Client({ connectionString: text });
  } catch {
    // Its error repeats the address, password included.
    throw unfit;
  }
  return text;
};

export const smtpUrl: Check<string> = (text) => {
  const url = URL.parse(text);
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === '') throw new Unfit('must look like smtp://user:pass@host:port');
  return text;
};

export const uuid: Check<string> = (text) => {
  if (!isUuid(text)) throw new Unfit('must be a UUID');
  return text.toLowerCase();
};

/** A key as surfaces take it: `ak_live_…` or `ak_test_…`. */
export const apiKey: Check<string> = (text) => {
  if (!/^ak_(live|test)_[\w.-]{8,200}$/.test(text)) {
    throw new Unfit('must be ak_live_ or ak_test_ followed by at least 8 letters, digits, dots, dashes or underscores');
  }
  return text;
};

/** 32 bytes, base64 (with or without padding, URL-safe or not). */
export const secretBytes: Check<Buffer> = (text) => {
  const bytes = Buffer.from(text, 'base64');
  if (!/^[\w+/-]+={0,2}$/.test(text) || bytes.length !== 32) throw new Unfit('must be 32 bytes in base64 (openssl rand -base64 32)');
  return bytes;
};

/** A service account: its JSON, or the path of a file that holds it. Gives the JSON. */
export const serviceAccount: Check<string> = (text) => {
  let json = text;
  if (!text.trimStart().startsWith('{')) {
    try {
      json = readFileSync(text, 'utf8');
    } catch (error) {
      throw new Unfit(`must be a service account's JSON or the path of a readable file (${(error as NodeJS.ErrnoException).code})`);
    }
  }
  try {
    const account = JSON.parse(json) as { client_email?: unknown; private_key?: unknown };
    if (typeof account.client_email === 'string' && typeof account.private_key === 'string') return json;
  } catch {
    // Its error quotes the text, which holds a private key.
  }
  throw new Unfit("must be a service account's JSON, with client_email and private_key, or the path of such a file");
};
