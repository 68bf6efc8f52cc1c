/** R2 for brought sources: whatever the far program does, a message ends as taken once, or as failed with a reason. */
import fastify from 'fastify';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { hookedEngine } from '../support/hooked-engine.ts';
import { until } from '../support/until.ts';

/** Takes each id once, as the guide asks; `fails` are the answers of the next calls. */
const taken = new Map<string, string>();
let calls = 0;
type Failure = 'lost' | 'down' | { status: number; body: unknown };
let fails: Failure[] = [];
const program = fastify();
program.post('/action', async (request, reply) => {
  calls += 1;
  const failure = fails.shift();
  const { message } = (request.body as any).payload;
  if (failure === undefined || failure === 'lost') taken.set(message.id, message.content.text);
  if (failure === 'lost' || failure === 'down') return void request.raw.socket.destroy();
  if (failure) return reply.code(failure.status).send(failure.body);
  return { source_message_id: `page-${message.id}` };
});
const endpoint = `${await program.listen({ port: 0, host: '127.0.0.1' })}/action`;
afterAll(() => program.close());

const { engine, workspaceId, rows, send, message, reaches } = await hookedEngine(async () => ({}));
const channel = await engine.channels.connect({
  workspaceId,
  source: 'custom',
  input: { source_id: 'guestbook', source_channel_id: 'desk', action_endpoint: endpoint },
  sandbox: false,
  existing: 'reuse',
});
const to = { channelId: channel.id, identity: { kind: 'custom', value: 'ada' } };
const times = (text: string) => [...taken.values()].filter((one) => one === text).length;

beforeEach(() => {
  fails = [];
  calls = 0;
});

it.each<[string, Failure]>([
  ['breaks the connection', 'down'],
  ['takes it and does not answer', 'lost'],
  ['has an error', { status: 500, body: 'oops' }],
])('a program that %s: taken once', async (what, failure) => {
  fails = [failure];
  const { id } = await send(to, `It ${what}`);
  expect((await reaches(id, 'sent')).providerId).toBe(`page-${id}`);
  expect([calls, times(`It ${what}`)]).toEqual([2, 1]);
});

it('a program that says no: its words', async () => {
  fails = [{ status: 422, body: { error: 'The book is full' } }];
  const { id } = await send(to, 'One more');
  expect((await reaches(id, 'failed')).error).toMatchObject({ class: 'rejected', message: 'The book is full' });
});

it('a program that refuses our signature stops the channel; messages go on when it takes it again', async () => {
  fails = [{ status: 401, body: '' }];
  const { id } = await send(to, 'Signed');
  await until(async () => (await engine.channels.get(workspaceId, channel.id)).status === 'failed');
  expect((await message(id)).state).toBe('pending');
  await rows('update channels set paused_until = now() where id = $1', [channel.id]);
  engine.outbox.wake();
  await reaches(id, 'sent');
  await until(async () => (await engine.channels.get(workspaceId, channel.id)).status === 'active');
});
