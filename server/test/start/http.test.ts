import { once } from 'node:events';
import { connect } from 'node:net';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createHttp, drain, listen, openWaitingRoom, trackConnections } from '../../src/api/http.ts';
import { freePort } from '../support/until.ts';

const log = pino({ level: 'silent' });

async function server() {
  const app = createHttp({ log });
  trackConnections(app.server);
  const address = { host: '127.0.0.1', port: await freePort() };
  return { app, address, url: `http://127.0.0.1:${address.port}` };
}

describe('draining', () => {
  it('lets a running request finish and takes no new connection', async () => {
    const { app, address, url } = await server();
    const running = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    app.get('/slow', async () => {
      running.resolve();
      await release.promise;
      return 'done';
    });
    await listen(app, address);
    const answer = fetch(`${url}/slow`);
    await running.promise;
    const drained = drain(app);
    await expect(fetch(`${url}/slow`)).rejects.toThrow();
    release.resolve();
    expect(await (await answer).text()).toBe('done');
    await drained;
  });

  it('cuts a connection that never ends', async () => {
    const { app, address } = await server();
    app.server.on('upgrade', (_request, socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    );
    await listen(app, address);
    const socket = connect(address.port, address.host);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    await drain(app, 50);
    await closed;
  });
});

it('is alive and not ready in the waiting room, and then makes way', async () => {
  const { app, address, url } = await server();
  const room = await openWaitingRoom(address);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  const ready = await fetch(`${url}/readyz`);
  expect([ready.status, ready.headers.get('retry-after'), await ready.json()]).toEqual([503, '1', { status: 'starting' }]);
  await expect(listen(app, address)).rejects.toThrow(`port ${address.port} is in use`);
  await room.close();
  const next = createHttp({ log });
  await listen(next, address);
  await next.close();
});
