import { beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../../src/model/ids.ts';
import { isDatabaseAway, openDatabase } from '../../src/store/database.ts';
import { startEmbedded } from '../../src/store/embedded.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { temporaryFolder } from '../support/patchbay.ts';
import { until } from '../support/until.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});

describe('the database', () => {
  it('gives bigint as number, timestamps as Date, jsonb as values', async () => {
    const workspaceId = uuidv7();
    await test.database.kysely.insertInto('workspaces').values({ workspace_id: workspaceId, name: 'Übersee', event_seq: 7 }).execute();
    await test.database.kysely
      .insertInto('events')
      .values({ workspace_id: workspaceId, seq: 9_007_199_254_740_991, type: 'x', data: { a: [1] } })
      .execute();
    const event = await test.database.kysely
      .selectFrom('events')
      .selectAll()
      .where('workspace_id', '=', workspaceId)
      .executeTakeFirstOrThrow();
    expect(event).toMatchObject({ seq: 9_007_199_254_740_991, data: { a: [1] } });
    expect(event.created_at).toBeInstanceOf(Date);
    const { rows } = await test.database.pool.query('select event_seq from workspaces where workspace_id = $1', [workspaceId]);
    expect(rows).toEqual([{ event_seq: 7 }]);
  });

  it('rolls a transaction back when its work throws', async () => {
    const workspaceId = uuidv7();
    const work = test.database.transaction(async (transaction) => {
      await transaction.insertInto('workspaces').values({ workspace_id: workspaceId, name: 'x' }).execute();
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    const rows = await test.database.kysely.selectFrom('workspaces').selectAll().where('workspace_id', '=', workspaceId).execute();
    expect(rows).toEqual([]);
  });

  it('hears notifications, and again after its connection was cut', async () => {
    const heard: (string | null)[] = [];
    const stop = test.database.listen('hint', (payload) => heard.push(payload));
    await until(() => heard.length === 1);
    await test.database.pool.query(`notify hint, 'one'`);
    await until(() => heard.includes('one'));
    await test.database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen "hint"' and datname = current_database()`,
    );
    await until(() => heard.filter((payload) => payload === null).length === 2);
    await test.database.pool.query(`notify hint, 'two'`);
    await until(() => heard.includes('two'));
    await stop();
    expect(heard).toEqual([null, 'one', null, 'two']);
  });
});

describe('a database that goes away', () => {
  it('is told from a wrong question, and used again when it is back', async () => {
    const silent = () => undefined;
    const embedded = await startEmbedded({
      dataDir: await temporaryFolder(),
      log: { debug: silent, info: silent, warn: silent, error: silent },
    });
    const database = openDatabase(embedded.connection, { log: { warn: silent } });
    const reasons: string[] = [];
    embedded.onExit((reason) => reasons.push(reason));
    const heard: (string | null)[] = [];
    database.listen('hint', (payload) => heard.push(payload));
    await until(() => heard.length === 1);
    expect(await database.isUp()).toBe(true);
    const wrong = await database.pool.query('select nonsense').catch((error: unknown) => error);
    expect(isDatabaseAway(wrong)).toBe(false);

    const first = embedded.pid();
    const running = database.pool.query('select pg_sleep(60)').catch((error: unknown) => error);
    await until(async () => (await database.pool.query(`select 1 from pg_stat_activity where query like '%pg_sleep(60)'`)).rowCount);
    process.kill(first, 'SIGINT');
    expect(isDatabaseAway(await running)).toBe(true);

    await until(() => embedded.pid() !== first);
    await until(() => database.isUp());
    await until(() => heard.length === 2);
    expect(reasons).toHaveLength(1);
    await embedded.stop();
    expect(await database.isUp()).toBe(false);
    const away = await database.pool.query('select 1').catch((error: unknown) => error);
    expect(isDatabaseAway(away)).toBe(true);
    await database.close();
  });
});
