import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, type IFrame, type IMessage, StompHeaders, Versions } from '@stomp/stompjs';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import {
  chooseProtocol,
  MAX_FRAME_BYTES,
  type StompFrame,
  type StompHandlers,
  StompParser,
  StompProtocolError,
  StompSession,
  type StompTimers,
  type StompVersion,
  writeFrame,
} from '../../src/api/live/stomp.ts';

/** A clock that only moves when told. */
function manualTimers(): StompTimers & { advance(ms: number): void } {
  let now = 0;
  const jobs = new Set<{ at: number; every?: number; run: () => void }>();
  const add = (job: { at: number; every?: number; run: () => void }) => {
    jobs.add(job);
    return () => jobs.delete(job);
  };
  return {
    now: () => now,
    every: (ms, run) => add({ at: now + ms, every: ms, run }),
    after: (ms, run) => add({ at: now + ms, run }),
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = [...jobs].filter((job) => job.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!due) break;
        now = due.at;
        if (due.every) due.at += due.every;
        else jobs.delete(due);
        due.run();
      }
      now = end;
    },
  };
}

function harness(handlers: Partial<StompHandlers> = {}) {
  const written: string[] = [];
  const timers = manualTimers();
  const seen = { closed: 0, disconnected: 0, errors: [] as unknown[] };
  const session = new StompSession({
    handlers: {
      onConnect: () => undefined,
      onSubscribe: () => undefined,
      onDisconnect: () => {
        seen.disconnected += 1;
      },
      onError: (error) => seen.errors.push(error),
      ...handlers,
    },
    write: (text) => written.push(text),
    close: () => {
      seen.closed += 1;
    },
    timers,
  });
  return { session, written, timers, seen };
}

const connect = (version = '1.2', more = '') => `CONNECT\naccept-version:${version}\n${more}\n\0`;

function parseAll(text: string | Uint8Array, version: StompVersion = '1.2'): StompFrame[] {
  const parser = new StompParser();
  parser.version = version;
  return [...parser.push(text)].filter((input) => input !== 'heart-beat');
}

describe('frames', () => {
  it('reads a frame however it is cut, with either line end, and heart-beats around it', () => {
    const bytes = Buffer.from('\n\r\nSEND\r\ndestination:/app/x\r\ncontent-length:7\r\n\r\na\0ü€\0\n', 'utf8');
    for (const size of [1, 2, 3, 7, bytes.length]) {
      const parser = new StompParser();
      const found = [];
      for (let at = 0; at < bytes.length; at += size) found.push(...parser.push(bytes.subarray(at, at + size)));
      const frames = found.filter((input) => input !== 'heart-beat');
      expect(frames).toEqual([
        {
          command: 'SEND',
          headers: Object.assign(Object.create(null), { destination: '/app/x', 'content-length': '7' }),
          body: 'a\0ü€',
        },
      ]);
      expect(found.length).toBe(4);
    }
  });

  it('keeps the body up to the NUL without a content-length, and the first of repeated headers', () => {
    const [frame, next] = parseAll('SEND\na:1\na:2\n\nhello\nyou\0SEND\n\n\0');
    expect(frame).toMatchObject({ headers: { a: '1' }, body: 'hello\nyou' });
    expect(next).toMatchObject({ command: 'SEND', body: '' });
  });

  it('escapes as each version says', () => {
    const headers = { 'a:b': 'x\\y\nz:\r!' };
    expect(writeFrame({ command: 'SEND', headers }, '1.2')).toBe('SEND\na\\cb:x\\\\y\\nz\\c\\r!\n\n\0');
    expect(writeFrame({ command: 'SEND', headers }, '1.1')).toBe('SEND\na\\cb:x\\\\y\\nz\\c\r!\n\n\0');
    expect(writeFrame({ command: 'SEND', headers: { a: 'b\nc' } }, '1.0')).toBe('SEND\na:b c\n\n\0');
    expect(() => parseAll('SEND\na:\\t\n\n\0')).toThrow(StompProtocolError);
    expect(() => parseAll('SEND\na:\\r\n\n\0', '1.1')).toThrow(StompProtocolError);
    expect(parseAll('SEND\na:\\r\n\n\0', '1.2')[0]?.headers.a).toBe('\r');
    expect(parseAll('SEND\na: \\n \n\n\0', '1.0')[0]?.headers.a).toBe('\\n');
  });

  it.each([
    ['no command', 'hello\n\n\0'],
    ['NUL in the head', 'SEND\na:b\0\n\n\0'],
    ['a header without a name', 'SEND\n:b\n\n\0'],
    ['a header without a colon', 'SEND\nb\n\n\0'],
    ['a content-length that is no number', 'SEND\ncontent-length:-1\n\n\0'],
    ['a body longer than its content-length', 'SEND\ncontent-length:1\n\nab\0'],
    ['a content-length above the limit', `SEND\ncontent-length:${MAX_FRAME_BYTES + 1}\n\n`],
    ['a head above the limit', `SEND\na:${'x'.repeat(MAX_FRAME_BYTES)}`],
    ['a body above the limit', `SEND\n\n${'x'.repeat(MAX_FRAME_BYTES)}`],
    ['too many headers', `SEND\n${'a:b\n'.repeat(65)}\n\0`],
  ])('refuses %s', (_name, text) => {
    expect(() => parseAll(text)).toThrow(StompProtocolError);
  });

  it('reads back whatever it wrote, in any pieces (property)', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    const name = text.filter((value) => value.replaceAll('\0', '') !== '' && value !== 'content-length' && value !== '__proto__');
    fc.assert(
      fc.property(
        fc.dictionary(name, text, { maxKeys: 6 }),
        text,
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }),
        (headers, body, sizes) => {
          const bytes = Buffer.from(writeFrame({ command: 'MESSAGE', headers, body }, '1.2'), 'utf8');
          const parser = new StompParser();
          const frames = [];
          for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
            const size = sizes[turn % sizes.length]!;
            frames.push(...parser.push(bytes.subarray(at, at + size)));
            at += size;
          }
          expect(frames).toHaveLength(1);
          const frame = frames[0] as StompFrame;
          expect(frame.body).toBe(body);
          const clean = (value: string) => value.replaceAll('\0', '');
          for (const key of Object.keys(headers)) expect(frame.headers[clean(key)]).toBeDefined();
          for (const [key, value] of Object.entries(headers).filter(([key]) => clean(key) === key))
            expect(frame.headers[key]).toBe(clean(value));
        },
      ),
    );
  });

  it('answers any bytes with frames or a protocol error, never with anything else (fuzz)', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom('CONNECT\n', 'SEND\n', 'content-length:3\n', '\n', '\0', 'a:b\n', '\r\n', '\\').map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const parser = new StompParser(200);
        try {
          for (const bytes of pieces) for (const _ of parser.push(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(StompProtocolError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('session', () => {
  it.each([
    ['1.0,1.1,1.2', '1.2'],
    ['1.1, 1.0', '1.1'],
    ['1.0', '1.0'],
  ])('agrees for %s on %s', (accepted, version) => {
    const { session, written } = harness();
    session.receive(connect(accepted));
    expect(parseAll(written[0]!)[0]).toMatchObject({ command: 'CONNECTED', headers: { version, 'heart-beat': '30000,30000' } });
  });

  it('takes a client that names no version as 1.0, and refuses versions it does not know', () => {
    const first = harness();
    first.session.receive('CONNECT\nlogin:a\n\n\0');
    expect(written(first)[0]?.headers.version).toBe('1.0');
    first.session.receive('SUBSCRIBE\ndestination:/events\n\n\0');
    first.session.publish('/events', { id: '1', body: '{}' });
    expect(written(first)[1]).toMatchObject({ command: 'MESSAGE', headers: { destination: '/events' } });
    const second = harness();
    second.session.receive(connect('2.0'));
    expect(written(second)[0]).toMatchObject({ command: 'ERROR', headers: { version: '1.0,1.1,1.2' } });
    expect(second.seen).toMatchObject({ closed: 1, disconnected: 1 });
  });

  it('lets a promised verdict hold back the frames behind it, in order', async () => {
    let admit: (verdict: undefined) => void = () => undefined;
    const order: string[] = [];
    const { session } = harness({
      onConnect: () => new Promise((resolve) => (admit = resolve)),
      onSubscribe: ({ id }) => {
        order.push(`subscribe ${id}`);
        return undefined;
      },
      onSend: async ({ body }) => {
        order.push(`send ${body}`);
        return undefined;
      },
    });
    session.receive(connect());
    session.receive('SUBSCRIBE\nid:1\ndestination:/a\n\n\0SEND\ndestination:/b\n\nx\0');
    session.receive('SUBSCRIBE\nid:2\ndestination:/a\n\n\0');
    expect(order).toEqual([]);
    admit(undefined);
    await expect.poll(() => order).toEqual(['subscribe 1', 'send x', 'subscribe 2']);
  });

  it('rejects with the given words, a thrown error without its words', async () => {
    const refused = harness({ onConnect: async () => ({ reject: '401 Unauthorized' }) });
    refused.session.receive(connect());
    await expect.poll(() => written(refused)).toMatchObject([{ command: 'ERROR', headers: { message: '401 Unauthorized' } }]);
    const broken = harness({
      onSubscribe: () => {
        throw new Error('secret');
      },
    });
    broken.session.receive(`${connect()}SUBSCRIBE\nid:1\ndestination:/a\n\n\0`);
    expect(written(broken)[1]?.command).toBe('ERROR');
    expect(broken.written.join('')).not.toContain('secret');
    expect(broken.seen.errors).toHaveLength(1);
  });

  it.each([
    ['a frame before CONNECT', 'SEND\ndestination:/a\n\n\0'],
    ['a second CONNECT', connect() + connect()],
    ['SUBSCRIBE without an id', `${connect()}SUBSCRIBE\ndestination:/a\n\n\0`],
    ['the same id twice', `${connect()}${'SUBSCRIBE\nid:1\ndestination:/a\n\n\0'.repeat(2)}`],
    ['a transaction', `${connect()}BEGIN\ntransaction:1\n\n\0`],
    ['an unknown command', `${connect()}HELLO\n\n\0`],
    ['no STOMP at all', 'GET / HTTP/1.1\r\n\r\n'],
  ])('ends at %s', (_name, text) => {
    const test = harness();
    test.session.receive(text);
    expect(written(test).at(-1)?.command).toBe('ERROR');
    expect(test.seen).toMatchObject({ closed: 1, disconnected: 1 });
    const before = test.written.length;
    test.session.receive(connect());
    expect(test.written).toHaveLength(before);
  });

  it('gives receipts, also for DISCONNECT, and forgets unsubscribed ids', () => {
    const test = harness();
    test.session.receive(`${connect()}SUBSCRIBE\nid:1\ndestination:/a\nreceipt:r1\n\n\0`);
    expect(test.session.publish('/a', { id: '7', body: '{"a":"ü"}' })).toBe(1);
    test.session.receive('UNSUBSCRIBE\nid:1\nreceipt:r2\n\n\0');
    expect(test.session.publish('/a', { id: '8', body: '{}' })).toBe(0);
    test.session.receive('DISCONNECT\nreceipt:r3\n\n\0');
    expect(written(test).map(({ command, headers }) => [command, headers['receipt-id'] ?? headers['message-id']])).toEqual([
      ['CONNECTED', undefined],
      ['RECEIPT', 'r1'],
      ['MESSAGE', '7'],
      ['RECEIPT', 'r2'],
      ['RECEIPT', 'r3'],
    ]);
    expect(written(test)[2]).toMatchObject({ headers: { 'content-type': 'application/json', 'content-length': '10', subscription: '1' } });
    expect(test.seen).toMatchObject({ closed: 1, disconnected: 1 });
  });

  it('beats every 30 s for a client that asks, ends a silent peer, and one that never connects', () => {
    const test = harness();
    test.session.receive(connect('1.2', 'heart-beat:4000,4000\n'));
    test.timers.advance(30_000);
    expect(test.written.slice(1)).toEqual(['\n']);
    test.session.receive('\n');
    test.timers.advance(89_000);
    expect(test.seen.closed).toBe(0);
    test.timers.advance(31_000);
    expect(test.seen).toMatchObject({ closed: 1, disconnected: 1 });
    const beats = test.written.length;
    test.timers.advance(120_000);
    expect(test.written).toHaveLength(beats);
    const silent = harness();
    silent.timers.advance(15_000);
    expect(silent.seen.closed).toBe(1);
  });

  it('refuses a flood behind a slow verdict', () => {
    const test = harness({ onConnect: () => new Promise(() => undefined) });
    test.session.receive(connect());
    const piece = 'x'.repeat(MAX_FRAME_BYTES);
    for (let turn = 0; turn < 20; turn += 1) test.session.receive(piece);
    expect(written(test).at(-1)?.headers.message).toBe('Too many frames at once');
  });

  it('survives any input (fuzz)', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string(),
            fc.uint8Array({ maxLength: 40 }),
            fc.constantFrom(connect(), 'SUBSCRIBE\nid:1\ndestination:/a\n\n\0', 'SEND\ndestination:/a\n\n{}\0', 'DISCONNECT\n\n\0', '\n'),
          ),
          { maxLength: 12 },
        ),
        (pieces) => {
          const test = harness();
          for (const piece of pieces) test.session.receive(piece);
          expect(test.seen.errors).toEqual([]);
          expect(test.seen.closed).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

function written(test: { written: string[] }): StompFrame[] {
  return test.written.flatMap((text) => parseAll(text));
}

describe('a foreign client, @stomp/stompjs', () => {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const thing of open.splice(0).reverse()) await thing.close();
  });

  async function serve(token: string): Promise<{ url: string; sessions: StompSession[]; sent: string[] }> {
    const http: Server = createServer();
    const sockets = new WebSocketServer({ server: http, handleProtocols: chooseProtocol });
    const sessions: StompSession[] = [];
    const sent: string[] = [];
    sockets.on('connection', (socket) => {
      const session = new StompSession({
        handlers: {
          onConnect: (headers) => (headers.Authorization === `Bearer ${token}` ? undefined : { reject: '401 Unauthorized' }),
          onSubscribe: () => undefined,
          onSend: ({ destination, body }) => {
            sent.push(`${destination} ${body}`);
            return undefined;
          },
        },
        write: (text) => socket.send(text),
        close: () => socket.close(),
      });
      socket.on('message', (data, binary) => session.receive(binary ? (data as Buffer) : data.toString()));
      socket.on('close', () => session.ended());
      sessions.push(session);
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    open.push({
      close: () => {
        for (const socket of sockets.clients) socket.terminate();
        return new Promise((resolve) => http.close(resolve));
      },
    });
    return { url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`, sessions, sent };
  }

  function client(url: string, token: string, versions: string[], more: Partial<Client> = {}) {
    const made = new Client({
      webSocketFactory: () => new WebSocket(url, new Versions(versions).protocolVersions()) as unknown as globalThis.WebSocket,
      stompVersions: new Versions(versions),
      connectHeaders: { Authorization: `Bearer ${token}` },
      heartbeatIncoming: 4000,
      heartbeatOutgoing: 4000,
      reconnectDelay: 0,
      ...more,
    });
    open.push({ close: () => made.deactivate({ force: true }) });
    return made;
  }

  it.each(['1.0', '1.1', '1.2'])('speaks %s with it both ways', async (version) => {
    const { url, sessions, sent } = await serve('good');
    const stomp = client(url, 'good', [version]);
    const messages: IMessage[] = [];
    const receipts: string[] = [];
    await new Promise<void>((resolve) => {
      stomp.onConnect = () => resolve();
      stomp.activate();
    });
    expect(stomp.connectedVersion).toBe(version);
    stomp.watchForReceipt('r-1', () => receipts.push('r-1'));
    const headers = new StompHeaders();
    headers.receipt = 'r-1';
    stomp.subscribe('/user/queue/message', (message) => messages.push(message), headers);
    await expect.poll(() => receipts).toEqual(['r-1']);
    // The client unescapes header values in 1.2 alone, so only there an id may need escaping.
    const id = version === '1.2' ? 'a:b\nc' : 'a-b';
    const body = JSON.stringify({ text: 'Grüße: \\ \n 👋', nul: '\0' });
    expect(sessions[0]!.publish('/user/queue/message', { id, body })).toBe(1);
    await expect.poll(() => messages.length).toBe(1);
    expect(JSON.parse(messages[0]!.body)).toEqual(JSON.parse(body));
    expect(messages[0]!.headers['message-id']).toBe(id);
    stomp.publish({ destination: '/app/typing', body: '{"on":true}' });
    stomp.publish({ destination: '/app/typing', binaryBody: new TextEncoder().encode('{"on":false}') });
    await expect.poll(() => sent).toEqual(['/app/typing {"on":true}', '/app/typing {"on":false}']);
    await stomp.deactivate();
    await expect.poll(() => sessions[0]!.connected).toBe(false);
  });

  it('hears of a bad token as an ERROR that says 401', async () => {
    const { url } = await serve('good');
    const stomp = client(url, 'bad', ['1.2', '1.1', '1.0']);
    const frame = await new Promise<IFrame>((resolve) => {
      stomp.onStompError = resolve;
      stomp.activate();
    });
    expect(frame.headers.message).toContain('401');
  });

  it('takes a large frame that the client splits', async () => {
    const { url, sent } = await serve('good');
    const stomp = client(url, 'good', ['1.2'], { splitLargeFrames: true, maxWebSocketChunkSize: 1024 });
    await new Promise<void>((resolve) => {
      stomp.onConnect = () => resolve();
      stomp.activate();
    });
    const body = 'ü'.repeat(20_000);
    stomp.publish({ destination: '/app/x', body });
    await expect.poll(() => sent).toEqual([`/app/x ${body}`]);
  });
});
