/**
 * Many rows as one array per column, in PostgreSQL's binary form: for the statements of the inbound way, where reading a
 * JSON document of the same rows took the database a quarter of its time.
 * postgresql.org/docs/current/protocol-message-formats.html; array_recv in src/backend/utils/adt/arrayfuncs.c
 */
import { cleanText, toJson } from './json.ts';

type Value = string | number | boolean | Date | Buffer | object | null | undefined;

interface Type {
  name: string;
  oid: number;
  /** Writes the value at the place, which has room for `size(value)`; answers how many bytes it took. */
  write(into: Buffer, at: number, value: never): number;
  /** Bytes that the value takes at the most. */
  size(value: never): number;
}

const MS_TO_2000 = Date.UTC(2000, 0, 1);
const JSONB_VERSION = 1;

const uuid: Type = {
  name: 'uuid',
  oid: 2950,
  size: () => 16,
  write(into, at, value: string) {
    if (into.write(value.replaceAll('-', ''), at, 16, 'hex') !== 16) throw new TypeError(`not a UUID: ${value.slice(0, 50)}`);
    return 16;
  },
};

const text: Type = {
  name: 'text',
  oid: 25,
  size: (value: string) => value.length * 3,
  write: (into, at, value: string) => into.write(value.includes('\u0000') ? cleanText(value) : value, at, 'utf8'),
};

const jsonb: Type = {
  name: 'jsonb',
  oid: 3802,
  size: (value: string) => value.length * 3 + 1,
  write(into, at, value: string) {
    into[at] = JSONB_VERSION;
    return 1 + into.write(value, at + 1, 'utf8');
  },
};

const timestamptz: Type = {
  name: 'timestamptz',
  oid: 1184,
  size: () => 8,
  write(into, at, value: Date) {
    into.writeBigInt64BE(BigInt(value.getTime() - MS_TO_2000) * 1000n, at);
    return 8;
  },
};

const integer: Type = { name: 'integer', oid: 23, size: () => 4, write: (into, at, value: number) => into.writeInt32BE(value, at) - at };

const bytea: Type = {
  name: 'bytea',
  oid: 17,
  size: (value: Buffer) => value.length,
  write: (into, at, value: Buffer) => value.copy(into, at),
};

interface Column<Row> {
  type: Type;
  of(row: Row): Value;
}

const column =
  <V extends Value>(type: Type) =>
  <Row>(of: (row: Row) => V | null | undefined): Column<Row> => ({ type, of });

/** What a column of a table of rows may be, each made by how its value is had of a row. */
export const as = {
  uuid: column<string>(uuid),
  text: column<string>(text),
  timestamptz: column<Date>(timestamptz),
  integer: column<number>(integer),
  bytea: column<Buffer>(bytea),
  jsonb: <Row>(of: (row: Row) => unknown): Column<Row> => ({
    type: jsonb,
    of: (row) => {
      const value = of(row);
      return value === undefined || value === null ? null : toJson(value);
    },
  }),
};

/** Rows of one kind as a table in a statement's `from`. */
export class Table<Row> {
  readonly #columns: Column<Row>[];
  readonly #names: string[];
  readonly #alias: string;

  constructor(alias: string, columns: Record<string, Column<Row>>) {
    this.#alias = alias;
    this.#names = Object.keys(columns).map((name) => `"${name}"`);
    this.#columns = Object.values(columns);
  }

  /** How many parameters it takes. */
  get size(): number {
    return this.#columns.length;
  }

  /** What to put behind `from`; the first of its parameters is the statement's number `first`. */
  from(first = 1): string {
    const parameters = this.#columns.map(({ type }, n) => `$${first + n}::${type.name}[]`);
    return `unnest(${parameters.join(', ')}) as ${this.#alias}(${this.#names.join(', ')})`;
  }

  /** One parameter a column. */
  values(rows: Row[]): Buffer[] {
    return this.#columns.map(({ type, of }) => encode(type, rows.map(of)));
  }
}

const HEADER = 20;
let scratch = Buffer.allocUnsafe(64 * 1024);

/**
 * An array of one dimension. The scratch space is kept from one to the next, and grows with what has to go in. Rows of
 * one batch often have the same value in a column (their workspace, their channel): it is copied rather than made again.
 */
function encode(type: Type, values: Value[]): Buffer {
  let at = HEADER;
  let hasNull = 0;
  let previous: Value;
  let start = 0;
  for (const value of values) {
    if (value === null || value === undefined) {
      reserve(at, 4);
      scratch.writeInt32BE(-1, at);
      hasNull = 1;
      at += 4;
      continue;
    }
    if (value === previous) {
      const length = scratch.readInt32BE(start) + 4;
      reserve(at, length);
      scratch.copyWithin(at, start, start + length);
      at += length;
      continue;
    }
    reserve(at, 4 + type.size(value as never));
    const length = type.write(scratch, at + 4, value as never);
    scratch.writeInt32BE(length, at);
    previous = value;
    start = at;
    at += 4 + length;
  }
  scratch.writeInt32BE(1, 0);
  scratch.writeInt32BE(hasNull, 4);
  scratch.writeInt32BE(type.oid, 8);
  scratch.writeInt32BE(values.length, 12);
  scratch.writeInt32BE(1, 16);
  return Buffer.from(scratch.subarray(0, at));
}

function reserve(used: number, more: number): void {
  if (used + more <= scratch.length) return;
  const grown = Buffer.allocUnsafe(Math.max(scratch.length * 2, used + more));
  scratch.copy(grown, 0, 0, used);
  scratch = grown;
}
