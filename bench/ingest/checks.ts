/** What every ingest must get right, asked of Patchbay and of its peer alike: a service on a folder of its own, killed and started again. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { closedLoop, type Measured } from './load.ts';
import { textWebhooks, type Webhook } from './webhooks.ts';

export interface Subject {
  name: string;
  program: string;
  env: Record<string, string>;
}

const PATIENCE = 10;
const numberId = '106540352242922';

async function start({ program, env }: Subject): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(program, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], detached: true, env: { ...process.env, ...env } });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${program} ended at its start`);
  });
  const [line] = (await Promise.race([once(child.stdout!, 'data'), ended])) as [Buffer];
  ended.catch(() => undefined);
  return { child, url: `http://127.0.0.1:${(JSON.parse(line.toString()) as { port: number }).port}/hooks/meta` };
}

async function stored(child: ChildProcess): Promise<number> {
  child.send('counts');
  const [{ messages }] = (await once(child, 'message')) as [{ messages: number }];
  return messages;
}

/** How many are stored once so many are, or when no more came for a while: some answer first and work later. */
async function storedAtLast(child: ChildProcess, expected: number): Promise<number> {
  let found = await stored(child);
  for (let left = PATIENCE; left > 0 && found < expected; left--) {
    await sleep(500);
    const now = await stored(child);
    if (now > found) left = PATIENCE;
    found = now;
  }
  return found;
}

/** Runs all checks and a load; prints what came of each, and gives the load's figures. */
export async function examine(subject: Subject, secret: string, count: number): Promise<Measured> {
  const make = (options: { count: number; contacts: number; together?: number }) =>
    textWebhooks(options.count, { numberId, secret, ...options });
  let { child, url } = await start(subject);
  const check = async (what: string, webhooks: Webhook[], connections: number, expected: number) => {
    const before = await stored(child);
    await closedLoop(url, webhooks, connections);
    const found = (await storedAtLast(child, before + expected)) - before;
    console.log(`${subject.name}: ${what}: ${found} of ${expected} ${found === expected ? 'right' : 'WRONG'}`);
  };
  await check(
    'redelivered five times',
    make({ count: 20, contacts: 20 }).flatMap((one) => Array<Webhook>(5).fill(one)),
    10,
    20,
  );
  await check('three messages in one webhook', make({ count: 20, contacts: 20, together: 3 }), 1, 60);
  await check('two contacts at once', make({ count: 100, contacts: 2 }), 2, 100);
  const before = await stored(child);
  const measured = await closedLoop(url, make({ count, contacts: 500 }), 64);
  console.log(
    `${subject.name}: ${measured.perSecond}/s answered, p99 ${measured.p99} ms; ${(await storedAtLast(child, before + measured.answered)) - before} of ${measured.answered} kept`,
  );

  const kept = await stored(child);
  const under = closedLoop(url, make({ count: 20_000, contacts: 500 }), 64);
  await sleep(1000);
  process.kill(-child.pid!, 'SIGKILL');
  const { answered } = await under;
  ({ child, url } = await start(subject));
  const after = (await storedAtLast(child, kept + answered)) - kept;
  console.log(`${subject.name}: SIGKILL under load: ${answered} acknowledged, ${after} kept, ${Math.max(0, answered - after)} lost`);
  child.send('stop');
  await once(child, 'exit');
  return measured;
}
