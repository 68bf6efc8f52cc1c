/**
 * S1: signed WhatsApp text webhooks, stored and applied before their 200, against an empty route of the same server in
 * the same process: closed loop at 64 connections, then open loop at a fixed rate. Usage: npm run bench ingest [messages]
 */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { examine } from './ingest/checks.ts';
import { closedLoop, type Measured, openLoop } from './ingest/load.ts';
import { textWebhooks } from './ingest/webhooks.ts';

const CONNECTIONS = 64;
const RATE = 3300;
const OPEN_SECONDS = 10;
const ROUNDS = 3;
const numberId = '106540352242922';
const secret = 'bench-app-secret';
const perRound = Number(process.argv[2] ?? 20_000);

const dataDir = await mkdtemp(join(tmpdir(), 'patchbay-bench-'));
const server = fork(join(import.meta.dirname, 'ingest', 'server.ts'), {
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  env: { ...process.env, DATA_DIR: dataDir, META_APP_SECRET: secret, SMTP_INBOUND_PORT: '0', BENCH_NUMBER_ID: numberId },
});
try {
  const [line] = (await once(server.stdout!, 'data')) as [Buffer];
  const { port } = JSON.parse(line.toString()) as { port: number };
  const address = (path: string) => `http://127.0.0.1:${port}${path}`;
  const make = (count: number) => textWebhooks(count, { numberId, secret, contacts: 500 });

  await closedLoop(address('/empty'), make(2000), CONNECTIONS);
  await closedLoop(address('/hooks/meta'), make(2000), CONNECTIONS);
  const ratios: number[] = [];
  let acknowledged = 2000;
  for (let round = 1; round <= ROUNDS; round++) {
    const webhooks = make(perRound);
    const empty = await closedLoop(address('/empty'), webhooks, CONNECTIONS);
    const ingest = await closedLoop(address('/hooks/meta'), webhooks, CONNECTIONS);
    acknowledged += ingest.answered;
    ratios.push(ingest.perSecond / empty.perSecond);
    print(`round ${round}: empty route`, empty);
    print(`round ${round}: ingest`, ingest);
    console.log(`round ${round}: ingest / empty = ${(ingest.perSecond / empty.perSecond).toFixed(3)}`);
  }
  ratios.sort((a, b) => a - b);
  console.log(`S1 closed loop: median ratio ${ratios[Math.floor(ratios.length / 2)]!.toFixed(3)} (promised: at least 0.5)`);

  const open = await openLoop(address('/hooks/meta'), make(RATE * OPEN_SECONDS), RATE);
  acknowledged += open.answered;
  print(`S1 open loop at ${RATE}/s (promised: 99 % within 250 ms)`, open);

  server.send('counts');
  const [counts] = (await once(server, 'message')) as [{ messages: number; rssMb: number }];
  console.log(`stored: ${JSON.stringify(counts)}`);
  if (counts.messages !== acknowledged) throw new Error(`${acknowledged} were acknowledged, ${counts.messages} are stored`);
  console.log(`every acknowledged message is stored once (${acknowledged})`);
} finally {
  if (server.connected) server.send('stop');
  if (server.exitCode === null) await once(server, 'exit');
  await rm(dataDir, { recursive: true, force: true });
}

await besideThePeer();

/** The same webhooks for `chat` from npm, and what both must get right; left out where npm's registry cannot be reached. */
async function besideThePeer(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-bench-'));
  const peer = join(folder, 'peer');
  const packages = ['chat', '@chat-adapter/whatsapp', '@chat-adapter/state-pg'].map((name) => `${name}@4`);
  const installed = spawnSync('npm', ['install', '--prefix', peer, '--no-audit', '--no-fund', ...packages], { encoding: 'utf8' });
  if (installed.status !== 0) {
    console.warn(`The peer could not be installed, so nothing is compared: ${installed.stderr}`);
    return;
  }
  const env = { META_APP_SECRET: secret, SMTP_INBOUND_PORT: '0', BENCH_NUMBER_ID: numberId, PEER_FOLDER: peer };
  const program = (name: string) => join(import.meta.dirname, 'ingest', name);
  try {
    const count = Math.min(perRound, 5000);
    const ours = await examine(
      { name: 'patchbay', program: program('server.ts'), env: { ...env, DATA_DIR: join(folder, 'ours') } },
      secret,
      count,
    );
    const theirs = await examine(
      { name: 'chat', program: program('peer-server.ts'), env: { ...env, DATA_DIR: join(folder, 'theirs') } },
      secret,
      count,
    );
    console.log(`S1 beside the peer: ${(ours.perSecond / theirs.perSecond).toFixed(1)} times its webhooks a second`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function print(what: string, measured: Measured): void {
  const { perSecond, answered, refused, p50, p99 } = measured;
  console.log(`${what}: ${perSecond}/s, p50 ${p50} ms, p99 ${p99} ms, answered ${answered}, refused ${refused}`);
}
