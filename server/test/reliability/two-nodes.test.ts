/** Several processes share one database: what enters one appears live at the other. */
import { Client } from '@stomp/stompjs';
import { beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { testDatabase } from '../support/database.ts';
import { type RunningPatchbay, startPatchbay } from '../support/patchbay.ts';
import { until } from '../support/until.ts';

const KEY = 'ak_live_twotwotwotwotwotwotwotwotwotwotwotwotwo';
let first: RunningPatchbay;
let second: RunningPatchbay;

beforeAll(async () => {
  const { url } = await testDatabase();
  const env = { DATABASE_URL: url, PATCHBAY_API_KEY: KEY, PATCHBAY_SECRET: Buffer.alloc(32, 3).toString('base64'), LOG_LEVEL: 'error' };
  [first, second] = await Promise.all([startPatchbay(env), startPatchbay(env)]);
}, 60_000);

async function call<T>(node: RunningPatchbay, path: string, body: unknown, authorization?: string): Promise<T> {
  const response = await fetch(`${node.url}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : { 'x-api-key': KEY }) },
    body: JSON.stringify(body),
  });
  expect(response.status, path).toBeLessThan(300);
  return (await response.json()) as T;
}

/** Follows a destination and collects what it says. */
async function follow(
  node: RunningPatchbay,
  path: string,
  destination: string,
  authorization: string,
): Promise<{ heard: string[]; end(): Promise<void> }> {
  const heard: string[] = [];
  const client = new Client({
    webSocketFactory: () => new WebSocket(`${node.url.replace('http', 'ws')}${path}`, { headers: { authorization } }),
    connectHeaders: { Authorization: authorization },
    reconnectDelay: 0,
  });
  await new Promise<void>((resolve, reject) => {
    client.onStompError = (frame) => reject(new Error(frame.headers.message));
    client.onWebSocketError = () => reject(new Error('no connection'));
    client.onConnect = () => {
      client.subscribe(destination, (frame) => heard.push(frame.body));
      client.publish({ destination: '/app/typing', body: '{"on":false}', headers: { receipt: 'ready' } });
      client.watchForReceipt('ready', () => resolve());
    };
    client.activate();
  });
  return { heard, end: () => client.deactivate() };
}

it('a visitor at one node and an agent at the other talk live', async () => {
  const { id } = await call<{ id: string }>(first, 'channels.chatplugin.connect', { name: 'site' });
  const { token } = await call<{ token: string }>(first, 'chatplugin.authenticate', { channel_id: id });
  const visitor = await follow(first, '/ws.chatplugin', '/user/queue/message', `Bearer ${token}`);
  const agent = await follow(second, '/ws.communication', '/events', `Bearer ${KEY}`);

  const message = await call<{ sender: { id: string } }>(
    first,
    'chatplugin.send',
    { message: { text: 'to the other node' } },
    `Bearer ${token}`,
  );
  await until(() => agent.heard.some((body) => body.includes('to the other node')));
  await call(second, 'messages.send', { conversation_id: message.sender.id, message: { text: 'and back' } });
  await until(() => visitor.heard.some((body) => body.includes('and back')));

  await Promise.all([visitor.end(), agent.end()]);
});
