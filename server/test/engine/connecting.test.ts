import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { testEngine } from '../support/engine.ts';

let engine: Engine;
let workspaceId: string;

beforeAll(async () => {
  engine = await testEngine();
  workspaceId = engine.defaultWorkspaceId;
});

const connect = (email: string, more: { sandbox?: boolean; metadata?: Record<string, unknown>; signature?: string } = {}) => {
  const { sandbox = false, metadata = {}, signature } = more;
  return engine.channels.connect({
    workspaceId,
    source: 'email',
    input: { email, name: 'Desk', provider: 'aurion', ...(signature ? { signature } : {}) },
    metadata,
    sandbox,
    existing: 'refuse',
  });
};

describe('connecting', () => {
  it('makes one channel of an account when several ask at once; the others are told', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 5 }, () => connect('race@x.example')));
    const made = asked.filter((one) => one.status === 'fulfilled');
    expect(made).toHaveLength(1);
    for (const one of asked) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'conflict' });
    expect((await engine.channels.list(workspaceId, { search: 'race@x.example' })).map((row) => row.id)).toEqual([made[0]!.value.id]);
  });

  it('never lets a test key take the place of a real account, nor the other way round', async () => {
    const live = await connect('live@x.example');
    await expect(connect('live@x.example', { sandbox: true })).rejects.toMatchObject({ code: 'conflict' });
    await engine.channels.disconnect(workspaceId, live.id);
    await expect(connect('live@x.example', { sandbox: true })).rejects.toMatchObject({ code: 'conflict' });
    expect((await engine.channels.get(workspaceId, live.id)).sandbox).toBe(false);
    const test = await connect('test@x.example', { sandbox: true });
    await expect(connect('test@x.example')).rejects.toMatchObject({ code: 'conflict' });
    await engine.channels.delete(workspaceId, test.id);
    expect(await connect('test@x.example')).toMatchObject({ id: test.id, sandbox: false });
  });

  it('begins anew with an account that was deleted, under the same id', async () => {
    const first = await connect('anew@x.example', { metadata: { note: 'old' }, signature: 'Bye' });
    expect(first.settings.signature).toBe('Bye');
    await engine.channels.delete(workspaceId, first.id);
    const again = await connect('anew@x.example');
    expect([again.id, again.metadata, again.settings.signature]).toEqual([first.id, {}, undefined]);
  });
});

describe('what is found out about a channel', () => {
  it('does not bring one back that was deleted or switched off meanwhile', async () => {
    const row = await connect('gone@x.example');
    await engine.channels.change(workspaceId, row.id, { status: 'inactive', statusReason: 'switched off' });
    const kept = await engine.channels.report(workspaceId, row.id, { status: 'warning', statusReason: 'late news' });
    expect([kept.status, kept.statusReason]).toEqual(['inactive', 'switched off']);
    await engine.channels.delete(workspaceId, row.id);
    await engine.channels.report(workspaceId, row.id, { status: 'active', statusReason: null });
    expect((await engine.channels.get(workspaceId, row.id)).status).toBe('deleted');
  });
});
