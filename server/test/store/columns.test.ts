import fc from 'fast-check';
import { expect, it } from 'vitest';
import { as, Table } from '../../src/store/columns.ts';
import { testDatabase } from '../support/database.ts';

interface Row {
  id: string | null;
  note: string | null;
  body: unknown;
  at: Date | null;
  n: number | null;
  bytes: Buffer | null;
}

const rows = new Table<Row>('x', {
  id: as.uuid((row) => row.id),
  note: as.text((row) => row.note),
  body: as.jsonb((row) => row.body),
  at: as.timestamptz((row) => row.at),
  n: as.integer((row) => row.n),
  bytes: as.bytea((row) => row.bytes),
});

const readable = (text: string) => text.replaceAll('\u0000', '\ufffd').toWellFormed();
const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom('', 'same', 'a\u0000b', '\ud800', '日本語 🎉'));

it('reads in PostgreSQL as what was written, row by row', async () => {
  const { database } = await testDatabase();
  const row: fc.Arbitrary<Row> = fc.record({
    id: fc.option(fc.uuid()),
    note: fc.option(anyText),
    body: fc.option(fc.record({ text: anyText, list: fc.array(fc.integer(), { maxLength: 3 }) })),
    at: fc.option(fc.date({ min: new Date('1970-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })),
    n: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
    bytes: fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 30 }), async (written) => {
      // A value that stands in the row before is copied from there.
      const doubled = written.flatMap((one) => [one, one]);
      const { rows: read } = await database.query(`select * from ${rows.from()}`, rows.values(doubled));
      expect(read).toEqual(
        doubled.map((one) => ({
          ...one,
          note: one.note === null ? null : readable(one.note),
          body: one.body === null ? null : { ...(one.body as object), text: readable((one.body as { text: string }).text) },
        })),
      );
    }),
    { numRuns: 100 },
  );
});

it('takes its parameters from the number that it is given', async () => {
  const { database } = await testDatabase();
  const names = new Table<string>('y', { name: as.text((name) => name) });
  const { rows: read } = await database.query(`select $1::text || name as name from ${names.from(2)}`, [
    'Dear ',
    ...names.values(['Ann', 'Bo']),
  ]);
  expect(read).toEqual([{ name: 'Dear Ann' }, { name: 'Dear Bo' }]);
  expect(names.size).toBe(1);
});

it('refuses what is no UUID rather than storing another one', () => {
  expect(() => rows.values([{ id: 'nobody', note: null, body: null, at: null, n: null, bytes: null }])).toThrow('not a UUID: nobody');
});
