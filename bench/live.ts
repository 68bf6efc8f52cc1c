/**
 * S4: visitors who listen to their own chats over WebSockets, while agents write to them at a fixed rate; how long after
 * the commit (the agent's answer) each message arrives. Usage: npm run bench live [listeners] [events a second] [seconds]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { WebSocket } from 'ws';

const KEY = 'ak_live_benchbenchbenchbenchbenchbenchbenchbench';
const AT_ONCE = 50;
const listeners = Number(process.argv[2] ?? 5000);
const rate = Number(process.argv[3] ?? 500);
const seconds = Number(process.argv[4] ?? 20);

interface Chat {
  token: string;
  conversationId: string;
}

const dataDir = await mkdtemp(join(tmpdir(), 'patchbay-bench-'));
const server = fork(join(import.meta.dirname, 'ingest', 'server.ts'), {
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  env: { ...process.env, DATA_DIR: dataDir, PATCHBAY_API_KEY: KEY, SMTP_INBOUND_PORT: '0', BENCH_NUMBER_ID: '1' },
});
const [line] = (await once(server.stdout!, 'data')) as [Buffer];
const { port } = JSON.parse(line.toString()) as { port: number };
const pool = new Pool(`http://127.0.0.1:${port}`, { connections: AT_ONCE });
/** When each text arrived. */
const arrived = new Map<string, number>();
const sockets: WebSocket[] = [];
try {
  const { id } = await post<{ id: string }>('channels.chatplugin.connect', { name: 'bench' });
  const chats = await many(listeners, async (): Promise<Chat> => {
    const { token } = await post<{ token: string }>('chatplugin.authenticate', { channel_id: id });
    const said = await post<{ sender: { id: string } }>('chatplugin.send', { message: { text: 'hello' } }, `Bearer ${token}`);
    return { token, conversationId: said.sender.id };
  });
  await many(listeners, (n) => listen(chats[n]!));
  console.log(`${sockets.length} listeners are connected`);
  await run(chats, Math.min(rate, 100), 3);
  const measured = await run(chats, rate, seconds);
  server.send('counts');
  const [{ rssMb }] = (await once(server, 'message')) as [{ rssMb: number }];
  console.log(
    `S4: ${measured.sent} messages at ${rate}/s to ${listeners} listeners: p50 ${measured.p50} ms, p99 ${measured.p99} ms after the commit ` +
      `(promised: 99 % within 100 ms); ${measured.late.toFixed(2)} % later than 100 ms; server ${rssMb} MB`,
  );
} finally {
  for (const socket of sockets) socket.terminate();
  await pool.close();
  if (server.connected) server.send('stop');
  if (server.exitCode === null) await once(server, 'exit');
  await rm(dataDir, { recursive: true, force: true });
}

async function post<T>(path: string, body: unknown, authorization = `Bearer ${KEY}`): Promise<T> {
  const headers = { 'content-type': 'application/json', authorization };
  const answer = await pool.request({ path: `/${path}`, method: 'POST', headers, body: JSON.stringify(body) });
  if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}: ${await answer.body.text()}`);
  return (await answer.body.json()) as T;
}

/** Does `count` things, so many at once; their results in order. */
async function many<T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let n = next++; n < count; n = next++) results[n] = await work(n);
    }),
  );
  return results;
}

/** Resolves once the visitor hears what is said to it. */
async function listen({ token }: Chat): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws.chatplugin`, ['v12.stomp'], { perMessageDeflate: false });
  sockets.push(socket);
  await once(socket, 'open');
  await new Promise<void>((resolve, reject) => {
    socket.once('close', () => reject(new Error('a listener was cut off')));
    socket.on('message', (data) => {
      const at = performance.now();
      const frame = String(data);
      if (frame.startsWith('CONNECTED')) {
        socket.send('SUBSCRIBE\nid:1\ndestination:/user/queue/message\nreceipt:r\n\n\0');
      } else if (frame.startsWith('RECEIPT')) resolve();
      else if (frame.startsWith('ERROR')) reject(new Error(frame));
      else for (const [text] of frame.matchAll(/bench-\d+-\d+/g)) if (!arrived.has(text)) arrived.set(text, at);
    });
    socket.send(`CONNECT\naccept-version:1.2\nhost:bench\nAuthorization:Bearer ${token}\n\n\0`);
  });
}

/** Sends at the rate, each message to another visitor, and waits until all arrived. */
async function run(chats: Chat[], perSecond: number, forSeconds: number) {
  arrived.clear();
  const count = perSecond * forSeconds;
  const committed = new Map<string, number>();
  const pending: Promise<void>[] = [];
  const started = performance.now();
  for (let n = 0; n < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - started) / 1000) * perSecond));
    for (; n < due; n++) {
      const text = `bench-${perSecond}-${n}`;
      const { conversationId } = chats[(n * 7919) % chats.length]!;
      const sending = post('messages.send', { conversation_id: conversationId, message: { text } });
      pending.push(sending.then(() => void committed.set(text, performance.now())));
    }
    await sleep(1);
  }
  await Promise.all(pending);
  for (const end = performance.now() + 30_000; arrived.size < count && performance.now() < end; ) await sleep(10);
  if (arrived.size < count) throw new Error(`only ${arrived.size} of ${count} messages arrived`);
  // It may be heard before the agent's answer is.
  const times = [...committed].map(([text, at]) => Math.max(0, arrived.get(text)! - at)).sort((a, b) => a - b);
  const at = (share: number) => Math.round(times[Math.floor(times.length * share)]! * 10) / 10;
  return { sent: count, p50: at(0.5), p99: at(0.99), late: (times.filter((ms) => ms > 100).length / count) * 100 };
}
