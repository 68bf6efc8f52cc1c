/** Airy's metadata documents: dotted names are paths, objects are merged, everything else replaces what was there. */

type Json = Record<string, unknown>;

/** `data` merged into `document`; both stay as they are. */
export function mergeUserData(document: unknown, data: Json): Json {
  let merged: Json = isObject(document) ? document : {};
  for (const [name, value] of Object.entries(data)) merged = setPath(merged, name.split('.'), value);
  return merged;
}

function setPath(document: Json, path: string[], value: unknown): Json {
  const [first, ...rest] = path as [string, ...string[]];
  const entries = new Map(Object.entries(document));
  const there = entries.get(first);
  if (rest.length > 0) entries.set(first, setPath(isObject(there) ? there : {}, rest, value));
  else entries.set(first, isObject(value) ? mergeUserData(there, value) : value);
  return Object.fromEntries(entries);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
