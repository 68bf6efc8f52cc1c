import { expect, it } from 'vitest';
import { visitorWrites } from '../api/support.ts';
import { testEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

it('counts what comes in and goes out, and shows what waits', async () => {
  const engine = await testEngine();
  const workspaceId = engine.defaultWorkspaceId;
  const channel = await engine.channels.connect({
    workspaceId,
    source: 'chatplugin',
    input: { name: 'counted' },
    sandbox: false,
    existing: 'refuse',
  });
  await visitorWrites(engine, 'counted', { visitor: 'ann', text: 'Hello' });
  await visitorWrites(engine, 'nowhere', { visitor: 'ann', text: 'Hello' });
  const { rows } = await engine.database.query('select id from conversations where channel_id = $1', [channel.id]);
  await engine.sender.send({
    workspaceId,
    to: { conversationId: rows[0].id },
    content: { type: 'text', text: 'Hi' },
    sender: { id: 'test', name: null },
  });
  engine.metrics.watchSockets(() => 3);
  const text = await until(async () => {
    const shown = await engine.metrics.registry.metrics();
    return shown.includes('patchbay_sends_total{') && shown;
  });
  for (const line of [
    'patchbay_inbound_events_total{source="chatplugin",outcome="applied"} 1',
    'patchbay_inbound_events_total{source="chatplugin",outcome="unrouted"} 1',
    'patchbay_sends_total{source="chatplugin",outcome="accepted"} 1',
    'patchbay_provider_call_seconds_count{source="chatplugin"} 1',
    'patchbay_ingest_batch_events_sum 2',
    'patchbay_raw_events{state="unrouted"} 1',
    'patchbay_live_sockets 3',
  ]) {
    expect(text).toContain(line);
  }
});
