import { beforeAll, describe, expect, it } from 'vitest';
import { chatplugin } from '../../src/connectors/chatplugin/index.ts';
import { type Connector, defineProvider, type ReceiveContext } from '../../src/connectors/connector.ts';
import { email } from '../../src/connectors/email/index.ts';
import { mailEvent, wakeEvent } from '../../src/connectors/email/raw.ts';
import { Registry } from '../../src/connectors/registry.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { Receivers } from '../../src/engine/receivers.ts';
import { ProviderError } from '../../src/model/errors.ts';
import { uuidv7 } from '../../src/model/ids.ts';
import type { ChannelRow } from '../../src/store/channels.ts';
import { mail } from '../connectors/email/mail.ts';
import { testEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

/** A mailbox of numbered mails on a server that this test plays. */
class FakeServer {
  mails: string[] = [];
  running = 0;
  mostAtOnce = 0;
  starts = 0;
  wakes: string[] = [];
  failing = false;
  idle = false;

  async receive(address: string, context: ReceiveContext): Promise<void> {
    this.running += 1;
    this.starts += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
    try {
      if (this.failing) throw new ProviderError('retry', 'the server is away');
      if (this.idle) return;
      while (!context.signal.aborted) {
        const seen = ((await context.cursor.load()) as number | undefined) ?? 0;
        for (let n = seen; n < this.mails.length; n++) {
          await context.deliver([mailEvent(address, mail({ 'Message-ID': `<${this.mails[n]}>`, From: 'ann@x.example' }))]);
          await context.cursor.save(n + 1);
        }
        await context.report?.({ status: 'active' });
        this.wakes.push(...(await context.wait!(60_000)));
      }
    } finally {
      this.running -= 1;
    }
  }
}

const server = new FakeServer();
/** A workspace whose mailboxes get nothing by themselves. */
let deaf: string | undefined;
const connector: Connector = {
  ...email.connectors[0]!,
  receive: async (channel, context) => {
    if (channel.workspaceId !== deaf) await server.receive(channel.sourceChannelId, context);
  },
};
const registry = () => new Registry([chatplugin, defineProvider({ ...email, connectors: [connector] })]);

let engine: Engine;
let channel: ChannelRow;

const connect = () =>
  engine.channels.connect({
    workspaceId: engine.defaultWorkspaceId,
    source: 'email',
    input: { email: 'in@asked.example', name: 'In', provider: 'aurion' },
    sandbox: false,
    existing: 'reuse',
  });
const stored = async () => {
  const found = await engine.database.query<{ id: string }>('select provider_id as id from messages order by provider_id');
  return found.rows.map((row) => row.id);
};
const wake = () => engine.ingest.submit([wakeEvent('in@asked.example', 'change')]);

beforeAll(async () => {
  engine = await testEngine({}, { registry: registry() });
});

describe('channels that are asked rather than told', () => {
  it('are listened to as soon as they are connected, from where they were left', async () => {
    server.mails.push('a@1', 'a@2');
    channel = await connect();
    await until(async () => (await stored()).length === 2);
    expect(server.running).toBe(1);
  });

  it('give what they fetch to nobody else who says to have the same address', async () => {
    deaf = uuidv7();
    await engine.database.query(`insert into workspaces (workspace_id, name) values ($1, 'Other')`, [deaf]);
    const other = await engine.channels.connect({
      workspaceId: deaf,
      source: 'email',
      input: { email: 'in@asked.example', name: 'Not theirs', provider: 'smtp', host: '127.0.0.1', port: 9 },
      sandbox: false,
      existing: 'refuse',
    });
    server.mails.push('a@2b');
    await wake();
    await until(async () => (await stored()).includes('a@2b'));
    const theirs = await engine.database.query('select 1 from messages where workspace_id = $1', [deaf]);
    expect(theirs.rowCount).toBe(0);
    await engine.channels.disconnect(deaf, other.id);
    await until(async () => (await engine.database.query('select 1 from receive_leases')).rowCount === 1);
  });

  it('look at once when a notification comes', async () => {
    await until(() => server.running === 1);
    server.mails.push('a@3');
    await wake();
    await until(async () => (await stored()).includes('a@3'));
    expect(server.wakes).toContain('change');
  });

  it('are listened to by one node, and by another when that one ends', async () => {
    const second = await nodeBeside();
    second.start();
    await until(async () => (await engine.database.query('select 1 from receive_leases')).rowCount === 1);
    server.mails.push('a@4');
    await wake();
    await until(async () => (await stored()).includes('a@4'));
    expect(server.mostAtOnce).toBe(1);
    const starts = server.starts;
    await engine.receivers.stop();
    await until(() => server.starts > starts && server.running === 1);
    server.mails.push('a@5');
    await wake();
    await until(async () => (await stored()).includes('a@5'));
    await second.stop();
    expect(server.mostAtOnce).toBe(1);
  });

  it('are taken over from a node that died, and its cursor cannot be moved by the dead one', async () => {
    await engine.database.query(
      `insert into receive_leases values ($1, $2, gen_random_uuid(), now() + interval '1 hour')
       on conflict (workspace_id, channel_id) do update set node = excluded.node, leased_until = excluded.leased_until`,
      [channel.workspaceId, channel.id],
    );
    const node = await nodeBeside();
    node.start();
    server.mails.push('a@6');
    await wake();
    expect(server.running).toBe(0);
    await engine.database.query(`update receive_leases set leased_until = now() - interval '1 second'`);
    await until(async () => (await stored()).includes('a@6'));
    await node.stop();
  });

  it('begin anew after failures, and after their settings changed; stop when disconnected', async () => {
    const node = await nodeBeside();
    server.failing = true;
    const starts = server.starts;
    node.start();
    await until(() => server.starts > starts + 2);
    server.failing = false;
    server.mails.push('a@7');
    await until(async () => (await stored()).includes('a@7'));
    const before = server.starts;
    await engine.channels.change(channel.workspaceId, channel.id, { settings: { signature: 'Bye' } });
    await until(() => server.starts > before && server.running === 1);
    await engine.channels.disconnect(channel.workspaceId, channel.id);
    await until(() => server.running === 0);
    await node.stop();
  });

  it('tell their status only when it changes', async () => {
    await connect();
    const node = await nodeBeside();
    node.start();
    await until(() => server.running === 1);
    const events = async () => (await engine.database.query(`select 1 from events where type = 'channel.updated'`)).rowCount;
    await engine.database.query(`update channels set status = 'warning', status_reason = 'away' where id = $1`, [channel.id]);
    const before = await events();
    await wake();
    await until(async () => (await engine.channels.get(channel.workspaceId, channel.id)).status === 'active');
    const after = await events();
    expect(after).toBe(before! + 1);
    await wake();
    await until(() => server.wakes.length > 3);
    expect(await events()).toBe(after);
    await node.stop();
  });
});

/** Another node on the same database. */
async function nodeBeside(): Promise<Receivers> {
  return new Receivers({ ...engine, registry: registry() }, { lookMs: 50, firstPauseMs: 10 });
}
