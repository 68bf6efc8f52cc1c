/** The pieces that every schema of this surface is made of. */
import Type, { type Static, type TObject, type TProperties, type TSchema } from 'typebox';

export const Uuid = Type.String({ format: 'uuid', examples: ['018f6b1e-7c1a-7d20-9c3b-5a4f1f0e9a11'] });
/** ISO 8601 with milliseconds, UTC. */
export const Timestamp = Type.String({ format: 'date-time', examples: ['2024-11-21T08:56:12.986Z'] });
/** Whatever the caller keeps there. */
export const FreeForm = Type.Record(Type.String(), Type.Unknown());

/** A value that may be null; one plain schema, so that serialising needs no choice between several. */
export function nullable<T extends TSchema>(schema: T) {
  const type = (schema as { type?: string }).type;
  return Type.Unsafe<Static<T> | null>({ ...schema, type: [type, 'null'] });
}

/** One of a few words. */
export function oneOf<const T extends readonly string[]>(words: T, options: object = {}) {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...words], ...options });
}

/** Given once or repeated: both reach the handler as a list. */
export function listOf<T extends TSchema>(item: T, options: object = {}) {
  return Type.Optional(Type.Array(item, { maxItems: 100, ...options }));
}

/** The parameters of every list, and the list's own. `limit` out of range is an error, never clamped. */
export function listQuery<const P extends TProperties>(properties: P, options: { maxLimit?: number } = {}) {
  return Type.Object({
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: options.maxLimit ?? 100, default: 10, description: 'Results a page.' })),
    pageToken: Type.Optional(Type.String({ maxLength: 8000, description: 'The `nextPageToken` of the page before.' })),
    reverse: Type.Optional(Type.Boolean({ default: false, description: 'The other way round.' })),
    ...properties,
  });
}

/** The answer of every list. */
export function listAnswer<T extends TSchema>(item: T) {
  return Type.Object({
    results: Type.Array(item),
    nextPageToken: Type.Optional(Type.String({ description: 'For `pageToken`; absent on the last page.' })),
  });
}

/** Path parameters: the workspace's id and the ones named, all UUIDs. */
export function ids<const N extends readonly string[]>(...names: N) {
  const properties = Object.fromEntries(['workspaceId', ...names].map((name) => [name, Uuid]));
  return Type.Object(properties) as TObject<Record<'workspaceId' | N[number], typeof Uuid>>;
}

export const ErrorAnswer = Type.Object(
  {
    code: Type.String(),
    message: Type.String(),
    details: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
  },
  { title: 'Error', examples: [{ code: 'validationError', message: 'limit must be <= 100', details: { limit: ['must be <= 100'] } }] },
);

/** Nothing to say. */
export const NoContent = Type.Null({ description: 'Done.' });

/** Milliseconds always, as the documents show them. */
export function iso(date: Date): string;
export function iso(date: Date | null): string | null;
export function iso(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
