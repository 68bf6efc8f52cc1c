import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { uuidv7 } from '../../src/model/ids.ts';
import { readMemo, writeMemo } from '../../src/store/memos.ts';
import { resealSome } from '../../src/store/reseal.ts';
import { Vault } from '../../src/store/vault.ts';
import { testEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

const OLD = Buffer.alloc(32, 9);

it('opens with the previous secret, seals everything anew with the current one, and then needs the old one no more', async () => {
  const engine = await testEngine({ PATCHBAY_SECRET_PREVIOUS: OLD.toString('base64') });
  const { database, defaultWorkspaceId: workspaceId } = engine;
  const channel = await engine.channels.connect({
    workspaceId,
    source: 'chatplugin',
    input: { name: 'sealed' },
    sandbox: false,
    existing: 'refuse',
  });
  const bound = `channel ${workspaceId} ${channel.id}`;
  const former = new Vault([OLD]);
  const sealed = former.seal({ token: 'a secret' }, bound);
  await database.query('update channels set credentials = $1, credentials_key_id = $2 where id = $3', [
    sealed.data,
    sealed.keyId,
    channel.id,
  ]);
  await database.query(
    `insert into farewells (workspace_id, channel_id, source, channel, key_id, run_at) values ($1, $2, 'chatplugin', $3, $4, now() + interval '1 day')`,
    [workspaceId, channel.id, sealed.data, sealed.keyId],
  );
  const memo = { workspaceId, channelId: channel.id, key: 'a key: with words' };
  await writeMemo(database, former, memo, 'remembered', 600);
  const integration = uuidv7();
  const account = former.seal({ password: 'p' }, `integration ${workspaceId} ${integration}`);
  await database.query(
    `insert into integrations (workspace_id, id, name, type, provider, credentials, credentials_key_id) values ($1, $2, 'x', 'email', 'smtp', $3, $4)`,
    [workspaceId, integration, account.data, account.keyId],
  );

  expect(engine.channels.view(await engine.channels.get(workspaceId, channel.id)).credentials).toEqual({ token: 'a secret' });
  await until(async () => (await resealSome(database, engine.vault)) === 0);

  const current = new Vault([Buffer.alloc(32, 7)]);
  const row = await engine.channels.get(workspaceId, channel.id);
  expect(current.open(row.credentials!, row.credentialsKeyId!, bound)).toEqual({ token: 'a secret' });
  expect(await readMemo(database, current, memo)).toBe('remembered');
  const [farewell] = (await database.query('select channel, key_id from farewells')).rows;
  expect(current.open(farewell.channel, farewell.key_id, bound)).toEqual({ token: 'a secret' });
  const [kept] = (await database.query('select credentials, credentials_key_id from integrations')).rows;
  expect(current.open(kept.credentials, kept.credentials_key_id, `integration ${workspaceId} ${integration}`)).toEqual({ password: 'p' });
  expect(() => new Vault([randomBytes(32)]).open(row.credentials!, row.credentialsKeyId!, bound)).toThrow('PATCHBAY_SECRET is not');
});
