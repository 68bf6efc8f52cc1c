import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { StartError } from '../../src/start-error.ts';
import { migrate } from '../../src/store/migrate.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { temporaryFolder } from '../support/patchbay.ts';

let test: TestDatabase;
let folder: string;
beforeAll(async () => {
  test = await testDatabase();
  // The clone brings the real migrations' names along; these tests use their own.
  await test.database.pool.query('drop table patchbay_migrations');
  folder = join(await temporaryFolder(), 'migrations');
  await mkdir(folder);
});

it('applies each file once when several nodes start at the same time', async () => {
  await writeFile(join(folder, '0001_a.sql'), 'create table a (n integer); insert into a values (1);');
  await writeFile(join(folder, '0002_b.sql'), 'select pg_sleep(0.1); insert into a values (2);');
  const nodes = await Promise.all([1, 2, 3].map(() => migrate(test.connection, folder)));
  expect(nodes.flat().sort()).toEqual(['0001_a.sql', '0002_b.sql']);
  expect((await test.database.pool.query('select n from a order by n')).rows).toEqual([{ n: 1 }, { n: 2 }]);
});

it('applies what was added since', async () => {
  await writeFile(join(folder, '0003_c.sql'), 'insert into a values (3);');
  expect(await migrate(test.connection, folder)).toEqual(['0003_c.sql']);
  expect(await migrate(test.connection, folder)).toEqual([]);
});

it('leaves nothing of a file that fails', async () => {
  await writeFile(join(folder, '0004_d.sql'), 'insert into a values (4); select 1/0;');
  await expect(migrate(test.connection, folder)).rejects.toThrow('migration 0004_d.sql failed: division by zero');
  await rm(join(folder, '0004_d.sql'));
  expect((await test.database.pool.query('select max(n) as n from a')).rows).toEqual([{ n: 3 }]);
});

it('refuses files that were changed after they had been applied, and those of a newer version', async () => {
  await writeFile(join(folder, '0003_c.sql'), 'insert into a values (33);');
  const changed = migrate(test.connection, folder);
  await expect(changed).rejects.toThrow(StartError);
  await expect(changed).rejects.toThrow('migration 0003_c.sql was changed');
  await rm(join(folder, '0003_c.sql'));
  await expect(migrate(test.connection, folder)).rejects.toThrow('newer Patchbay (migration 0003_c.sql');
});
