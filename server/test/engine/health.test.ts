import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { healthWatch } from '../../src/engine/health.ts';
import { testEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

let engine: Engine;

beforeAll(async () => {
  engine = await testEngine();
});

describe('the health watch', () => {
  it('asks channels that were not asked for a while, and leaves one that waits for its credentials waiting', async () => {
    const { id, workspaceId } = await engine.channels.place({
      workspaceId: engine.defaultWorkspaceId,
      source: 'twilio.sms',
      sourceChannelId: '+15550001111',
      name: 'SMS',
      settings: { phone_number: '+15550001111' },
      statusReason: 'no keys yet',
      sandbox: false,
    });
    await engine.database.query(`update channels set created_at = now() - interval '1 hour'`);
    const worker = healthWatch(engine);
    worker.start();
    await until(async () => (await engine.channels.get(workspaceId, id)).statusReason?.includes('TWILIO_ACCOUNT_SID'));
    await worker.stop();
    expect((await engine.channels.get(workspaceId, id)).status).toBe('pending');
    await engine.channels.delete(workspaceId, id);
    expect((await engine.channels.get(workspaceId, id)).status).toBe('deleted');
  });
});
