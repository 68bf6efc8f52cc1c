/**
 * A receipt and the message that it is about can be written at the same moment by two transactions, of which neither
 * sees the other: the receipt is then kept as early although its message is there. This finds such pairs soon after.
 */
import { getChannel } from '../store/channels.ts';
import { overdueEarly } from '../store/receipts-sql.ts';
import { applyEarly } from './apply.ts';
import type { Engine } from './engine.ts';
import { routeOf } from './routes.ts';
import { Worker } from './worker.ts';

type Parts = Pick<Engine, 'database' | 'channels' | 'log'>;

export function stragglerSweep(parts: Parts): Worker {
  const { database, channels, log } = parts;
  return new Worker({
    name: 'stragglers',
    restMs: 1_500,
    log,
    work: async () => {
      const overdue = await overdueEarly(database, 200);
      for (const [, found] of Map.groupBy(overdue, ({ workspaceId, channelId }) => `${workspaceId} ${channelId}`)) {
        const { workspaceId, channelId } = found[0]!;
        const row = await getChannel(database, workspaceId, channelId);
        if (!row) continue;
        const route = routeOf(row, channels.connectorOf(row.source));
        const providerIds = found.map(({ providerId }) => providerId);
        await database.transaction((client) => applyEarly(client, route, providerIds));
      }
      return overdue.length;
    },
  });
}
