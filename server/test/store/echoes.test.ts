import { expect, it } from 'vitest';
import { findUnderWay } from '../../src/store/echoes-sql.ts';
import { claimOutbox } from '../../src/store/outbox.ts';
import { testEngine } from '../support/engine.ts';

it('an echo is first held against the last call before it, then what is being handed over, then what had no answer', async () => {
  const { database, channels, defaultWorkspaceId: workspaceId, ingest } = await testEngine();
  const channel = await channels.connect({
    workspaceId,
    source: 'chatplugin',
    input: { name: 'shop' },
    sandbox: false,
    existing: 'refuse',
  });
  const visitor = '018f2f6e-0000-7000-8000-000000000001';
  const said = { type: 'message', id: 'first', visitor, conversation: visitor, message: { text: 'Hello' }, at: new Date().toISOString() };
  await ingest.submit([
    { source: 'chatplugin', sourceChannelId: 'shop', contentType: 'application/json', body: Buffer.from(JSON.stringify(said)) },
  ]);
  const write = async (id: string, state: string) => {
    await database.query(
      `insert into messages (workspace_id, id, channel_id, conversation_id, contact_id, source, direction, state, content, sent_at)
       select workspace_id, $2, channel_id, id, contact_id, 'chatplugin', 'out', $3, '{"type":"image"}', now() from conversations where channel_id = $1`,
      [channel.id, id, state],
    );
    return id;
  };
  const lost = await write('018f2f6e-0000-7000-8000-00000000000a', 'unknown');
  const underWay = await write('018f2f6e-0000-7000-8000-00000000000b', 'pending');
  await write('018f2f6e-0000-7000-8000-00000000000c', 'pending');
  await database.query(
    `insert into outbox (workspace_id, message_id, channel_id, conversation_id, run_at, leased_until, call_started_at)
     select workspace_id, id, channel_id, conversation_id, now() + interval '1 hour', now() + interval '1 hour', now() from messages where id = $1`,
    [underWay],
  );
  const call = async (id: string, at: string) =>
    database.query(
      `insert into unsettled (workspace_id, message_id, called_at, reason, options, run_at) values ($1, $2, $3, 'killed', '{}', now())`,
      [workspaceId, id, at],
    );
  const later = await write('018f2f6e-0000-7000-8000-000000000009', 'unknown');
  await call(lost, '2026-01-01T10:00:00.000Z');
  await call(later, '2026-01-01T10:00:00.200Z');
  const found = async (at: string | null) => {
    const query = { n: 0, workspaceId, channelId: channel.id, addresses: [visitor], at: at === null ? null : new Date(at) };
    return (await findUnderWay(database, [query])).map(({ messageId }) => messageId);
  };
  expect(await found(null)).toEqual([underWay, later, lost]);
  expect(await found('2026-01-01T09:59:00.000Z')).toEqual([underWay, later, lost]);
  expect(await found('2026-01-01T10:00:00.100Z')).toEqual([lost, underWay, later]);
  expect(await found('2026-01-01T10:00:00.300Z')).toEqual([later, lost, underWay]);
  expect(await found(new Date(Date.now() + 60_000).toISOString())).toEqual([underWay, later, lost]);

  // Its process ended in the call; the one that takes it up does not make it a call of today.
  const [job] = await database.transaction(async (client) => {
    await client.query(
      `update outbox set run_at = now(), leased_until = '2026-01-01T10:01:00.000Z', call_started_at = '2026-01-01T10:00:00.400Z' where message_id = $1`,
      [underWay],
    );
    return claimOutbox(client, { limit: 1, usual: 1, leaseSeconds: 600, places: [] });
  });
  expect(job).toMatchObject({ messageId: underWay, interruptedAt: new Date('2026-01-01T10:00:00.400Z') });
  expect(await found('2026-01-01T10:00:00.500Z')).toEqual([underWay, later, lost]);
});
