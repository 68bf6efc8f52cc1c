/**
 * The server's side of a STOMP 1.0–1.2 conversation, without a socket: bytes in by `receive`, text out by `write`.
 * What a destination means is the caller's business.
 */
import { type StompFrame, StompParser, StompProtocolError, type StompVersion, writeFrame } from './stomp-frame.ts';

export { MAX_FRAME_BYTES, type StompFrame, StompParser, StompProtocolError, type StompVersion, writeFrame } from './stomp-frame.ts';

/** WebSocket sub-protocols, the newest first. */
export const STOMP_PROTOCOLS = ['v12.stomp', 'v11.stomp', 'v10.stomp'] as const;

const VERSIONS: readonly StompVersion[] = ['1.2', '1.1', '1.0'];
const HEARTBEAT_MS = 30_000;
const CONNECT_WITHIN_MS = 15_000;
const MAX_SUBSCRIPTIONS = 64;
const MAX_QUEUED_BYTES = 1024 * 1024;

/** Picks the sub-protocol for a handshake; `false` when the client offers none of ours. Fits `ws`' `handleProtocols`. */
export function chooseProtocol(offered: Iterable<string>): string | false {
  const names = new Set(offered);
  return STOMP_PROTOCOLS.find((name) => names.has(name)) ?? false;
}

export interface StompSubscription {
  id: string;
  destination: string;
  headers: Record<string, string>;
}

export interface StompSend {
  destination: string;
  headers: Record<string, string>;
  body: string;
}

/** Ends the session: the client gets an ERROR frame with this `message`. */
export interface StompReject {
  reject: string;
}

type Verdict = undefined | StompReject;
type Answer = Verdict | Promise<Verdict>;

/**
 * What the session asks its owner. Every answer may be a promise: the client's next frame waits for it. Answering
 * `{ reject }` or throwing ends the session with an ERROR frame; a thrown error's text stays here (`onError`).
 */
export interface StompHandlers {
  /** A client wants in. Reject a bad token with a text that holds 401: Airy's clients sign in again on it. */
  onConnect(headers: Record<string, string>): Answer;
  onSubscribe(subscription: StompSubscription): Answer;
  onUnsubscribe?(subscription: StompSubscription): Answer;
  onSend?(send: StompSend): Answer;
  /** Called once when the session is over, whoever ended it. */
  onDisconnect?(): void;
  /** A handler threw. */
  onError?(error: unknown): void;
}

/** The clock, replaceable in tests. `every` and `after` return how to cancel. */
export interface StompTimers {
  now(): number;
  every(ms: number, run: () => void): () => void;
  after(ms: number, run: () => void): () => void;
}

const realTimers: StompTimers = {
  now: () => performance.now(),
  every(ms, run) {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export interface StompSessionOptions {
  handlers: StompHandlers;
  /** Sends text to the peer. */
  write(text: string): void;
  /** Ends the connection, after everything written has gone out. */
  close(): void;
  timers?: StompTimers;
  /** Milliseconds between our heart-beats, and the fastest that we ask of the client. */
  heartbeatMs?: number;
  maxFrameBytes?: number;
}

/** One client's session. Call `receive` for each WebSocket message and `ended` when the socket is gone. */
export class StompSession {
  #handlers: StompHandlers;
  #write: (text: string) => void;
  #close: () => void;
  #timers: StompTimers;
  #heartbeatMs: number;
  #parser: StompParser;
  #version: StompVersion = '1.2';
  #state: 'new' | 'connected' | 'over' = 'new';
  #subscriptions = new Map<string, StompSubscription>();
  #queue: { data: string | Uint8Array; size: number }[] = [];
  #queuedBytes = 0;
  #busy = false;
  #heardAt: number;
  #cancels: (() => void)[] = [];
  #cancelConnectTimeout: () => void;

  constructor(options: StompSessionOptions) {
    this.#handlers = options.handlers;
    this.#write = options.write;
    this.#close = options.close;
    this.#timers = options.timers ?? realTimers;
    this.#heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
    this.#parser = new StompParser(options.maxFrameBytes);
    this.#heardAt = this.#timers.now();
    this.#cancelConnectTimeout = this.#timers.after(CONNECT_WITHIN_MS, () => this.fail('No CONNECT frame in time'));
  }

  get connected(): boolean {
    return this.#state === 'connected';
  }

  get subscriptions(): ReadonlyMap<string, StompSubscription> {
    return this.#subscriptions;
  }

  /** Takes one WebSocket message, text or binary. Never throws. */
  receive(data: string | Uint8Array): void {
    if (this.#state === 'over') return;
    this.#heardAt = this.#timers.now();
    this.#queue.push({ data, size: data.length });
    this.#queuedBytes += data.length;
    if (this.#queuedBytes > MAX_QUEUED_BYTES) this.fail('Too many frames at once');
    else if (!this.#busy) void this.#drain();
  }

  /** Sends a MESSAGE with a JSON body to every subscription of `destination`. Returns how many there are. */
  publish(destination: string, message: { id: string; body: string; headers?: Record<string, string> }): number {
    let count = 0;
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.destination !== destination) continue;
      this.message(subscription.id, message);
      count += 1;
    }
    return count;
  }

  /** Sends a MESSAGE with a JSON body to one subscription; nothing happens when it is gone. */
  message(subscriptionId: string, message: { id: string; body: string; headers?: Record<string, string> }): void {
    const subscription = this.#subscriptions.get(subscriptionId);
    if (!subscription || this.#state !== 'connected') return;
    this.#send('MESSAGE', {
      headers: {
        ...message.headers,
        subscription: subscription.id,
        'message-id': message.id,
        destination: subscription.destination,
        'content-type': 'application/json',
      },
      body: message.body,
    });
  }

  /** Ends the session with an ERROR frame. */
  fail(message: string, headers: Record<string, string> = {}): void {
    if (this.#state === 'over') return;
    this.#send('ERROR', { headers: { ...headers, message } });
    this.#end();
  }

  /** The socket is gone: stops the timers and tells the owner. */
  ended(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#cancelConnectTimeout();
    for (const cancel of this.#cancels) cancel();
    this.#queue = [];
    this.#subscriptions.clear();
    this.#handlers.onDisconnect?.();
  }

  #end(): void {
    this.ended();
    this.#close();
  }

  #send(command: string, frame: { headers?: Record<string, string>; body?: string }): void {
    this.#write(writeFrame({ command, ...frame }, this.#version));
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        this.#queuedBytes -= next.size;
        for (const input of this.#parser.push(next.data)) {
          if (input === 'heart-beat') continue;
          const answer = this.#handle(input);
          if (answer instanceof Promise) await answer;
          if ((this.#state as string) === 'over') return;
        }
      }
    } catch (error) {
      if (error instanceof StompProtocolError) {
        this.fail(error.message);
      } else {
        this.#handlers.onError?.(error);
        this.fail('500 The server could not handle the frame');
      }
    } finally {
      this.#busy = false;
    }
  }

  #handle(frame: StompFrame): void | Promise<void> {
    if (frame.command === 'CONNECT' || frame.command === 'STOMP') {
      if (this.#state !== 'new') throw new StompProtocolError('Already connected');
      return this.#connect(frame.headers);
    }
    if (this.#state !== 'connected') throw new StompProtocolError('The first frame must be CONNECT');
    switch (frame.command) {
      case 'SUBSCRIBE':
        return this.#subscribe(frame);
      case 'UNSUBSCRIBE':
        return this.#unsubscribe(frame);
      case 'SEND': {
        const send = { destination: required(frame, 'destination'), headers: frame.headers, body: frame.body };
        return this.#settle(frame, this.#handlers.onSend?.(send));
      }
      case 'ACK':
      case 'NACK':
        return this.#receipt(frame);
      case 'DISCONNECT':
        this.#receipt(frame);
        return this.#end();
      case 'BEGIN':
      case 'COMMIT':
      case 'ABORT':
        throw new StompProtocolError('Transactions are not supported');
      default:
        throw new StompProtocolError(`Unknown command ${frame.command}`);
    }
  }

  #connect(headers: Record<string, string>): void | Promise<void> {
    const accepted = (headers['accept-version'] ?? '1.0').split(',').map((version) => version.trim());
    const version = VERSIONS.find((candidate) => accepted.includes(candidate));
    if (!version) return this.fail('Supported protocol versions are 1.0 1.1 1.2', { version: '1.0,1.1,1.2' });
    this.#version = version;
    this.#parser.version = version;
    const admit = (verdict: Verdict): void => {
      if (this.#state !== 'new') return;
      if (verdict) {
        this.fail(verdict.reject);
        return;
      }
      this.#state = 'connected';
      this.#cancelConnectTimeout();
      const beat = String(this.#heartbeatMs);
      this.#send('CONNECTED', { headers: { version, server: 'Patchbay', 'heart-beat': `${beat},${beat}` } });
      this.#startHeartbeats(headers['heart-beat']);
    };
    const answer = this.#handlers.onConnect(headers);
    return answer instanceof Promise ? answer.then(admit) : admit(answer);
  }

  #startHeartbeats(header = '0,0'): void {
    const [gives = 0, wants = 0] = header.split(',').map((part) => (/^\s*\d{1,9}\s*$/.test(part) ? Number(part) : 0));
    if (wants > 0) {
      this.#cancels.push(this.#timers.every(Math.max(this.#heartbeatMs, wants), () => this.#write('\n')));
    }
    if (gives > 0) {
      const expected = Math.max(this.#heartbeatMs, gives);
      // Three times the agreed time before a peer counts as dead: browsers delay the timers of hidden tabs to once a minute.
      const check = () => {
        if (this.#timers.now() - this.#heardAt >= expected * 3) this.#end();
      };
      this.#cancels.push(this.#timers.every(expected, check));
    }
  }

  #subscribe(frame: StompFrame): void | Promise<void> {
    const destination = required(frame, 'destination');
    // Only 1.0 lets a client leave out the id; its subscriptions are then told apart by destination.
    const id = this.#version === '1.0' ? (frame.headers.id ?? destination) : required(frame, 'id');
    if (this.#subscriptions.has(id)) throw new StompProtocolError('This subscription id is in use');
    if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS) throw new StompProtocolError(`More than ${MAX_SUBSCRIPTIONS} subscriptions`);
    const subscription = { id, destination, headers: frame.headers };
    this.#subscriptions.set(id, subscription);
    return this.#settle(frame, this.#handlers.onSubscribe(subscription));
  }

  #unsubscribe(frame: StompFrame): void | Promise<void> {
    const id = frame.headers.id ?? (this.#version === '1.0' ? frame.headers.destination : undefined);
    if (id === undefined) throw new StompProtocolError('UNSUBSCRIBE needs the header id');
    const subscription = this.#subscriptions.get(id);
    this.#subscriptions.delete(id);
    return this.#settle(frame, subscription && this.#handlers.onUnsubscribe?.(subscription));
  }

  #settle(frame: StompFrame, answer: Answer): void | Promise<void> {
    const finish = (verdict: Verdict): void => {
      if (this.#state === 'over') return;
      const receipt = frame.headers.receipt;
      if (!verdict) this.#receipt(frame);
      else this.fail(verdict.reject, receipt === undefined ? {} : { 'receipt-id': receipt });
    };
    return answer instanceof Promise ? answer.then(finish) : finish(answer);
  }

  #receipt(frame: StompFrame): void {
    const id = frame.headers.receipt;
    if (id !== undefined) this.#send('RECEIPT', { headers: { 'receipt-id': id } });
  }
}

function required(frame: StompFrame, name: string): string {
  const value = frame.headers[name];
  if (value === undefined || value === '') throw new StompProtocolError(`${frame.command} needs the header ${name}`);
  return value;
}
