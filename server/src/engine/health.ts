/** Asks providers how channels are doing: on a schedule, after an error, and when somebody presses the button. */
import type { HealthReport } from '../connectors/connector.ts';
import { type ChannelStatus, isConnected } from '../model/channel.ts';
import { PatchbayError, ProviderError } from '../model/errors.ts';
import { type ChannelChange, type ChannelRow, changeChannel } from '../store/channels.ts';
import type { Engine } from './engine.ts';
import { Worker } from './worker.ts';

type Parts = Pick<Engine, 'database' | 'channels' | 'contexts' | 'log'>;

const EVERY_MINUTES = 15;
/** A channel that failed is asked more often, so that it recovers soon after the repair. */
const FAILED_EVERY_MINUTES = 1;

export function healthWatch(parts: Parts): Worker {
  return new Worker({
    name: 'health',
    restMs: 20_000,
    log: parts.log,
    work: async () => {
      const due = await parts.database.query<{ workspaceId: string; id: string }>(
        `update channels set health_at = now() where (workspace_id, id) in (
           select workspace_id, id from channels
           where status in ('active', 'warning', 'failed', 'pending')
             and coalesce(health_at, created_at) < now() - make_interval(mins => case when status = 'failed' then $2::integer else $1::integer end)
           limit 10 for update skip locked)
         returning workspace_id as "workspaceId", id`,
        [EVERY_MINUTES, FAILED_EVERY_MINUTES],
      );
      for (const row of due.rows) await checkHealth(parts, row.workspaceId, row.id);
      return due.rows.length;
    },
  });
}

/**
 * Asks the provider now and keeps what it says: the status and its reason follow, renewed credentials replace the old
 * ones, and an event tells of a change. A provider that does not answer says nothing about the channel: its status
 * stays, and with `noteSilence` (somebody asked, and waits for an answer) the silence is noted.
 */
export async function checkHealth(
  parts: Parts,
  workspaceId: string,
  channelId: string,
  { noteSilence = false }: { noteSilence?: boolean } = {},
): Promise<ChannelRow> {
  const { channels, contexts, log } = parts;
  const row = await channels.get(workspaceId, channelId);
  const connector = channels.connectorOf(row.source);
  if (!connector.health || !isConnected(row.status)) return row;
  let report: HealthReport;
  try {
    report = await connector.health(channels.view(row), contexts.for({ workspaceId, channelId, sandbox: row.sandbox }));
  } catch (error) {
    if (error instanceof ProviderError && error.class !== 'unauthorized') {
      log.info({ channel: channelId, class: error.class }, `the provider did not say how the channel is doing: ${error.message}`);
      if (!noteSilence) return row;
      return channels.report(workspaceId, channelId, { health: { checks: [{ name: 'provider', ok: false, message: error.message }] } });
    }
    report = refusedReport(error);
  }
  const next = statusAfter(row, report);
  if (report.credentials) await channels.replaceCredentials(workspaceId, channelId, report.credentials);
  const change: ChannelChange = {
    ...next,
    ...(report.details ? { details: report.details } : {}),
    ...(report.status === 'active' ? { lastError: null } : {}),
    health: {
      status: next.status,
      ...(report.reason ? { reason: report.reason } : {}),
      checks: report.checks ?? [],
      ...(report.expiresAt ? { expiresAt: report.expiresAt.toISOString() } : {}),
    },
  };
  const news = noteSilence || next.status !== row.status || next.statusReason !== row.statusReason;
  if (news) return channels.report(workspaceId, channelId, change);
  return (await changeChannel(parts.database, workspaceId, channelId, change, 'connected')) ?? row;
}

/** What a report makes of a channel: one that still waits for something outside keeps waiting, and is not broken. */
export function statusAfter(row: { status: ChannelStatus }, report: HealthReport): { status: ChannelStatus; statusReason: string | null } {
  const status = row.status === 'pending' && report.status === 'failed' ? 'pending' : report.status;
  return { status, statusReason: report.reason ?? null };
}

/** Credentials that are refused, or missing here: only a person can help. */
function refusedReport(error: unknown): HealthReport {
  const missing = error instanceof PatchbayError && error.code === 'setting-missing';
  if (!missing && !(error instanceof ProviderError)) throw error;
  const reason = error instanceof ProviderError && error.hint ? `${error.message} ${error.hint}` : error.message;
  return { status: 'failed', reason, checks: [{ name: 'provider', ok: false, message: error.message }] };
}
