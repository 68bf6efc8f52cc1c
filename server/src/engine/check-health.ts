/** Asks the provider how a channel is doing, and writes down the answer. */
import type { HealthReport } from '../connectors/connector.ts';
import { isConnected } from '../model/channel.ts';
import { ProviderError } from '../model/errors.ts';
import type { ChannelRow } from '../store/channels.ts';
import type { Engine } from './engine.ts';

/**
 * Runs the check now. A channel that is not connected, or whose source has no check, stays as it is. A provider that
 * cannot be reached says nothing about the channel: that is noted, and the status stays.
 */
export async function checkHealth(engine: Engine, row: ChannelRow): Promise<ChannelRow> {
  const connector = engine.channels.connectorOf(row.source);
  if (!connector.health || !isConnected(row.status)) return row;
  const { workspaceId, id } = row;
  const context = engine.contexts.for({ workspaceId, channelId: id, sandbox: row.sandbox });
  let report: HealthReport;
  try {
    report = await connector.health(engine.channels.view(row), context);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const checks = [{ name: 'provider', ok: false, message: error.message }];
    if (error.class !== 'unauthorized') return engine.channels.report(workspaceId, id, { health: { checks } });
    report = { status: 'failed', reason: error.hint ?? error.message, checks };
  }
  const { status, reason, details, expiresAt, checks } = report;
  return engine.channels.report(workspaceId, id, {
    status,
    statusReason: reason ?? null,
    ...(details ? { details } : {}),
    ...(status === 'active' ? { lastError: null } : {}),
    health: { status, ...(reason ? { reason } : {}), ...(expiresAt ? { expiresAt: expiresAt.toISOString() } : {}), checks: checks ?? [] },
  });
}
