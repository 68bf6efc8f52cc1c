/**
 * S2: ingest and the conversation list on a small and on a large database, in turn, in one run.
 * Usage: npm run bench growth [messages, 1000000] [conversations, a tenth of them]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closedLoop, type Measured } from './ingest/load.ts';
import { textWebhooks, type Webhook } from './ingest/webhooks.ts';

const KEY = 'ak_live_benchbenchbenchbenchbenchbenchbenchbench';
const CONNECTIONS = 64;
const ROUNDS = 5;
const WEBHOOKS = 3000;
const LISTS = 1000;
const numberId = '106540352242922';
const secret = 'bench-app-secret';
const messages = Number(process.argv[2] ?? 1_000_000);
const sizes = { small: 10_000, large: messages };

interface Bench {
  child: ChildProcess;
  dataDir: string;
  conversations: number;
  address(path: string): string;
}

const benches: Bench[] = [];
try {
  for (const size of Object.values(sizes)) benches.push(await start(size));
  const [small, large] = benches as [Bench, Bench];
  const ratios: Record<'ingest' | 'list', number[]> = { ingest: [], list: [] };
  for (const bench of [small, large]) await ingest(bench);
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [what, measure] of [
      ['ingest', ingest],
      ['list', list],
    ] as const) {
      // Whoever goes first finds a warmer or a colder machine: they take turns.
      const order = round % 2 === 0 ? [large, small] : [small, large];
      const measured = new Map<Bench, Measured>();
      for (const bench of order) measured.set(bench, await measure(bench));
      const ratio = measured.get(small)!.perSecond / measured.get(large)!.perSecond;
      ratios[what].push(ratio);
      console.log(
        `round ${round}: ${what}: ${measured.get(small)!.perSecond}/s and ${measured.get(large)!.perSecond}/s, cost ratio ${ratio.toFixed(2)}`,
      );
    }
  }
  for (const [what, list] of Object.entries(ratios)) {
    list.sort((a, b) => a - b);
    console.log(
      `S2 ${what}: costs ${list[Math.floor(list.length / 2)]!.toFixed(2)} times as much at ${sizes.large} messages as at ${sizes.small} (promised: at most 1.3)`,
    );
  }
} finally {
  for (const { child, dataDir } of benches) {
    if (child.connected) child.send('stop');
    if (child.exitCode === null) await once(child, 'exit');
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function start(size: number): Promise<Bench> {
  const dataDir = await mkdtemp(join(tmpdir(), 'patchbay-bench-'));
  const conversations = Math.max(1, Math.round(size / Number(sizes.large / Number(process.argv[3] ?? sizes.large / 10))));
  const child = fork(join(import.meta.dirname, 'ingest', 'server.ts'), {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: {
      ...process.env,
      DATA_DIR: dataDir,
      META_APP_SECRET: secret,
      PATCHBAY_API_KEY: KEY,
      SMTP_INBOUND_PORT: '0',
      BENCH_NUMBER_ID: numberId,
    },
  });
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  const { port } = JSON.parse(line.toString()) as { port: number };
  const begun = performance.now();
  child.send({ messages: size, conversations });
  await once(child, 'message');
  console.log(`${size} messages in ${conversations} conversations, made in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  return { child, dataDir, conversations, address: (path) => `http://127.0.0.1:${port}${path}` };
}

/** Everybody writes, wherever in the history their conversation lies. */
async function ingest(bench: Bench): Promise<Measured> {
  const webhooks = textWebhooks(WEBHOOKS, { numberId, secret, contacts: bench.conversations, every: 37 });
  return expectAll(await closedLoop(bench.address('/hooks/meta'), webhooks, CONNECTIONS));
}

async function list(bench: Bench): Promise<Measured> {
  const request: Webhook = {
    body: JSON.stringify({ page_size: 50 }),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
  };
  return expectAll(await closedLoop(bench.address('/conversations.list'), Array(LISTS).fill(request), 8));
}

function expectAll(measured: Measured): Measured {
  if (measured.refused > 0) throw new Error(`${measured.refused} requests were refused`);
  return measured;
}
