/** The WebSocket addresses, on the HTTP server's own port. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { WebSocketServer } from 'ws';
import type { Engine } from '../../engine/engine.ts';
import type { Authenticator } from '../auth.ts';
import { AgentSockets } from './agents.ts';
import { LiveHub } from './hub.ts';
import { chooseProtocol } from './stomp.ts';
import { VisitorSockets } from './visitors.ts';

const MAX_MESSAGE_BYTES = 256 * 1024;
const GOING_AWAY = 1001;

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>;

export function registerLive(app: FastifyInstance, engine: Engine, auth: Authenticator): void {
  const hub = new LiveHub(engine);
  const agents = new AgentSockets(app, engine, auth, hub);
  const visitors = new VisitorSockets(engine, hub);
  const server = new WebSocketServer({ noServer: true, handleProtocols: chooseProtocol, maxPayload: MAX_MESSAGE_BYTES });
  engine.metrics.watchSockets(() => server.clients.size);
  let closing = false;

  const upgrades: Record<string, Upgrade> = {
    '/ws.communication': async (request, socket, head) => {
      const admission = await agents.admit(request);
      if (!admission) return refuse(socket, 403);
      server.handleUpgrade(request, socket, head, (accepted) => agents.attend(accepted, request, admission));
    },
    '/ws.chatplugin': async (request, socket, head) => {
      server.handleUpgrade(request, socket, head, (accepted) => visitors.attend(accepted, request));
    },
  };

  app.server.on('upgrade', (request, socket, head) => {
    // A socket that breaks during its handshake is over; there is nobody to tell.
    socket.on('error', () => socket.destroy());
    const upgrade = upgrades[pathOf(request)];
    if (closing || !upgrade) return refuse(socket, closing ? 503 : 404);
    upgrade(request, socket, head).catch((error) => {
      engine.log.error({ err: error }, 'a WebSocket handshake failed');
      refuse(socket, 503);
    });
  });
  app.addHook('preClose', async () => {
    closing = true;
    agents.stop();
    for (const socket of server.clients) socket.close(GOING_AWAY);
  });
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?')[0]!.replace(/\/$/, '');
}

function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
