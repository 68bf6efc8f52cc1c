import { notFound } from '../../model/errors.ts';
import { isUuid } from '../../model/ids.ts';

/** This surface's ids are a prefix and our UUID without its dashes (decisions.md B32). */
export type IdPrefix = 'ec' | 'wac' | 'sr' | 'tpl' | 'conv' | 'ct' | 'msg' | 'wh';

export function idOf(prefix: IdPrefix, uuid: string): string {
  return `${prefix}_${uuid.replaceAll('-', '')}`;
}

/** The UUID behind an id; the plain UUID is taken too. Undefined for anything else. */
export function uuidIn(prefix: IdPrefix, id: string): string | undefined {
  const bare = id.toLowerCase().startsWith(`${prefix}_`) ? id.slice(prefix.length + 1) : id;
  const uuid = /^[0-9a-f]{32}$/i.test(bare)
    ? [bare.slice(0, 8), bare.slice(8, 12), bare.slice(12, 16), bare.slice(16, 20), bare.slice(20)].join('-')
    : bare;
  return isUuid(uuid) ? uuid.toLowerCase() : undefined;
}

/** The same, for what must be one. Throws `not-found`. */
export function uuidFrom(prefix: IdPrefix, id: string, what: string): string {
  const uuid = uuidIn(prefix, id);
  if (!uuid) throw notFound(what);
  return uuid;
}
