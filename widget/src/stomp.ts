/** The smallest STOMP client that the widget needs; the server's side is `server/src/api/live/stomp.ts`. */

export interface StompEvents {
  connected(stomp: Stomp): void;
  message(headers: Record<string, string>, body: string): void;
  receipt(id: string): void;
  /** The connection is over; `error` is the server's ERROR message where there was one. Called once. */
  closed(error?: string): void;
}

export interface Stomp {
  /** Sends a frame; nothing happens on a closed connection. */
  frame(command: string, headers: Record<string, string>, body?: string): void;
  close(): void;
}

const BEAT_MS = 20_000;
const SILENCE_MS = 90_000;

const escapeHeader = (text: string) => text.replace(/[\\\n\r:]/g, (c) => ({ '\\': '\\\\', '\n': '\\n', '\r': '\\r', ':': '\\c' })[c]!);
const readHeader = (text: string) => text.replace(/\\(.)/g, (_, c: string) => ({ n: '\n', r: '\r', c: ':' })[c] ?? c);

/** Connects with a bearer token. The caller decides about coming back after `closed`. */
export function openStomp(url: string, token: string, events: StompEvents): Stomp {
  const socket = new WebSocket(url, ['v12.stomp']);
  let heard = Date.now();
  let over = false;
  const beat = setInterval(() => {
    if (Date.now() - heard > SILENCE_MS) end();
    else if (socket.readyState === 1) socket.send('\n');
  }, BEAT_MS);

  function end(error?: string): void {
    if (over) return;
    over = true;
    clearInterval(beat);
    socket.close();
    events.closed(error);
  }

  const stomp: Stomp = {
    frame(command, headers, body = '') {
      if (socket.readyState !== 1) return;
      const lines = Object.entries(headers).map(([name, value]) => `${name}:${command === 'CONNECT' ? value : escapeHeader(value)}\n`);
      socket.send(`${command}\n${lines.join('')}\n${body}\0`);
    },
    close: () => end(),
  };

  socket.onopen = () =>
    stomp.frame('CONNECT', {
      'accept-version': '1.2',
      host: location.host,
      Authorization: `Bearer ${token}`,
      'heart-beat': `${BEAT_MS},30000`,
    });
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    heard = Date.now();
    // JSON never holds a raw NUL, so a NUL always ends a frame.
    for (const text of data.split('\0')) {
      const [head = '', ...rest] = text.replace(/^\s+/, '').split('\n\n');
      if (!head) continue;
      const [command, ...lines] = head.split('\n');
      const headers: Record<string, string> = {};
      for (const line of lines) {
        const colon = line.indexOf(':');
        headers[readHeader(line.slice(0, colon))] ??= readHeader(line.slice(colon + 1));
      }
      if (command === 'CONNECTED') events.connected(stomp);
      else if (command === 'MESSAGE') events.message(headers, rest.join('\n\n'));
      else if (command === 'RECEIPT') events.receipt(headers['receipt-id'] ?? '');
      else if (command === 'ERROR') end(headers.message ?? 'error');
    }
  };
  socket.onclose = () => end();
  return stomp;
}
