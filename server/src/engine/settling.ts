/** Writes what became of sent messages: many outcomes a transaction, since each by itself would wait for a commit. */
import type { ReceiptEvent } from '../connectors/events.ts';
import { noteSent } from '../store/channels.ts';
import type { Client, Database } from '../store/database.ts';
import { toJson } from '../store/json.ts';
import { applyInbound } from './apply.ts';
import { MicroBatch } from './micro-batch.ts';
import type { Route } from './routes.ts';

export interface Outcome {
  route: Route;
  event: ReceiptEvent;
  /** What was handed to the provider. */
  payload?: unknown;
  /** What the connector wants to find with the conversation's next message. */
  thread?: { conversationId: string; data: Record<string, unknown> };
}

const BATCH = 256;

export class Settling {
  readonly #batches: MicroBatch<Outcome, undefined>;

  constructor(database: Database) {
    this.#batches = new MicroBatch(BATCH, (outcomes) => database.transaction((client) => write(client, outcomes)));
  }

  /** Resolves after the commit. */
  async write(outcome: Outcome): Promise<void> {
    await this.#batches.add(outcome);
  }

  drain(): Promise<void> {
    return this.#batches.drain();
  }
}

async function write(client: Client, outcomes: Outcome[]): Promise<undefined[]> {
  const receivedAt = new Date();
  const payloads = outcomes.flatMap(({ route, event, payload }) =>
    payload === undefined || !event.ourId ? [] : [{ workspaceId: route.workspaceId, id: event.ourId, payload }],
  );
  const threads = outcomes.flatMap(({ route, thread }) => (thread ? [{ workspaceId: route.workspaceId, ...thread }] : []));
  const sent = outcomes
    .filter(({ event }) => event.state !== 'failed')
    .map(({ route }) => ({ workspaceId: route.workspaceId, id: route.channelId }));
  await Promise.all([
    payloads.length > 0 ? keepPayloads(client, payloads) : undefined,
    threads.length > 0 ? keepThreads(client, threads) : undefined,
    sent.length > 0 ? noteSent(client, sent) : undefined,
    applyInbound(
      client,
      outcomes.map(({ route, event }) => ({ route, event, receivedAt })),
    ),
  ]);
  return outcomes.map(() => undefined);
}

async function keepPayloads(client: Client, rows: { workspaceId: string; id: string; payload: unknown }[]): Promise<void> {
  await client.query({
    name: 'keep-payloads',
    text: `update messages m set payload = x.payload from json_to_recordset($1) as x("workspaceId" uuid, id uuid, payload jsonb)
      where m.workspace_id = x."workspaceId" and m.id = x.id and m.payload is null`,
    values: [toJson(rows)],
  });
}

async function keepThreads(
  client: Client,
  rows: { workspaceId: string; conversationId: string; data: Record<string, unknown> }[],
): Promise<void> {
  await client.query({
    name: 'keep-threads',
    text: `update conversations c set thread_data = c.thread_data || x.data
      from json_to_recordset($1) as x("workspaceId" uuid, "conversationId" uuid, data jsonb)
      where c.workspace_id = x."workspaceId" and c.id = x."conversationId"`,
    values: [toJson(rows)],
  });
}
