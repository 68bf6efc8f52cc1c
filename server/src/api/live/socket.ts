/** One WebSocket that speaks STOMP: slow readers are let go, and nothing is written to a closed one. */
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import { type StompHandlers, StompSession } from './stomp.ts';

/** What may wait in one socket's buffer; a reader that is further behind reconnects and catches up from the log. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const TRY_AGAIN_LATER = 1013;
/** How long a closing handshake may take. */
const CLOSE_MS = 2000;

/** Joins a socket and a session; the handlers get the session through what is returned. */
export function attend(socket: WebSocket, log: Logger, handlers: (session: () => StompSession) => StompHandlers): StompSession {
  const close = (code?: number) => {
    socket.close(code);
    setTimeout(() => socket.terminate(), CLOSE_MS).unref();
  };
  const session: StompSession = new StompSession({
    handlers: {
      onError: (error) => log.error({ err: error }, 'a STOMP frame could not be handled'),
      ...handlers(() => session),
    },
    write: (text) => {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
        session.ended();
        close(TRY_AGAIN_LATER);
        return;
      }
      socket.send(text);
    },
    close: () => close(),
  });
  socket.on('message', (data, binary) => session.receive(binary ? bufferOf(data) : String(data)));
  socket.on('close', () => session.ended());
  // The close event follows; the reason is the other side's business.
  socket.on('error', (error) => log.debug({ err: error }, 'a WebSocket broke'));
  return session;
}

function bufferOf(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
