/**
 * STOMP 1.0–1.2 frames: bytes to frames and back. Nothing here knows about sockets or sessions.
 * https://stomp.github.io/stomp-specification-1.2.html (and -1.1, -1.0)
 */

export type StompVersion = '1.0' | '1.1' | '1.2';

export interface StompFrame {
  command: string;
  headers: Record<string, string>;
  body: string;
}

/** The peer does not speak STOMP, or breaks a limit. The connection cannot go on after it. */
export class StompProtocolError extends Error {
  override name = 'StompProtocolError';
}

/** The largest frame, head and body together, in bytes. */
export const MAX_FRAME_BYTES = 64 * 1024;
const MAX_HEADERS = 64;

const NUL = 0;
const LF = 10;
const CR = 13;

/** CONNECT and CONNECTED are never escaped, so that both ends can read them before a version is agreed. */
const UNESCAPED: ReadonlySet<string> = new Set(['CONNECT', 'STOMP', 'CONNECTED']);

/** What a parser found in the bytes: a frame, or an end of line between frames, which is a heart-beat. */
export type StompInput = StompFrame | 'heart-beat';

/**
 * Reads frames from a stream of bytes that may be cut anywhere. `version` decides how headers are unescaped; it is read
 * when a frame's head is complete, so it may be set between two frames of one piece.
 */
export class StompParser {
  version: StompVersion = '1.2';
  #maxBytes: number;
  #stage: 'idle' | 'head' | 'body' = 'idle';
  #parts: Buffer[] = [];
  #size = 0;
  #afterLineEnd = false;
  #head: Omit<StompFrame, 'body'> | undefined;
  #bodyLeft: number | undefined;
  #bodyDone = false;

  constructor(maxBytes = MAX_FRAME_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Takes the next piece and yields what it completes. Throws `StompProtocolError`; the parser is useless after that. */
  *push(data: string | Uint8Array): Generator<StompInput, void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    let at = 0;
    while (at < bytes.length) {
      if (this.#stage === 'idle') {
        const byte = bytes[at]!;
        if (byte === LF || byte === CR) {
          at += 1;
          if (byte === LF) yield 'heart-beat';
        } else {
          this.#stage = 'head';
          this.#afterLineEnd = false;
        }
      } else if (this.#stage === 'head') {
        at = this.#readHead(bytes, at);
      } else {
        at = this.#readBody(bytes, at);
        if (this.#bodyDone && this.#head) {
          this.#bodyDone = false;
          this.#stage = 'idle';
          yield { ...this.#head, body: this.#take().toString('utf8') };
        }
      }
    }
  }

  #readHead(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === NUL) throw new StompProtocolError('Frame ended before the blank line after its headers');
      if (byte === LF) {
        if (this.#afterLineEnd) {
          this.#keep(bytes.subarray(from, at + 1));
          const headSize = this.#size;
          this.#head = parseHead(this.#take().toString('utf8'), this.version);
          this.#size = headSize;
          this.#bodyLeft = contentLength(this.#head.headers, this.#maxBytes);
          this.#stage = 'body';
          return at + 1;
        }
        this.#afterLineEnd = true;
      } else if (byte !== CR) {
        this.#afterLineEnd = false;
      }
    }
    this.#keep(bytes.subarray(from));
    return bytes.length;
  }

  #readBody(bytes: Buffer, from: number): number {
    if (this.#bodyLeft === undefined) {
      const end = bytes.indexOf(NUL, from);
      this.#keep(bytes.subarray(from, end === -1 ? undefined : end));
      if (end === -1) return bytes.length;
      this.#bodyDone = true;
      return end + 1;
    }
    const piece = bytes.subarray(from, from + this.#bodyLeft);
    this.#keep(piece);
    this.#bodyLeft -= piece.length;
    const at = from + piece.length;
    if (this.#bodyLeft > 0 || at === bytes.length) return at;
    if (bytes[at] !== NUL) throw new StompProtocolError('The body is longer than its content-length');
    this.#bodyDone = true;
    return at + 1;
  }

  #keep(piece: Buffer): void {
    this.#size += piece.length;
    if (this.#size > this.#maxBytes) throw new StompProtocolError(`Frame is larger than ${this.#maxBytes} bytes`);
    // Copied, since a socket may reuse its buffer before the rest of the frame arrives.
    if (piece.length > 0) this.#parts.push(Buffer.from(piece));
  }

  #take(): Buffer {
    const whole = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    return whole;
  }
}

function parseHead(text: string, version: StompVersion): Omit<StompFrame, 'body'> {
  const [first = '', ...lines] = text.split('\n');
  const command = first.replace(/\r$/, '');
  if (!/^[A-Z]{1,16}$/.test(command)) throw new StompProtocolError('Unknown command');
  const unescaped = UNESCAPED.has(command);
  const carriageReturnEndsLine = unescaped || version === '1.2';
  const headers: Record<string, string> = Object.create(null);
  let count = 0;
  for (const raw of lines) {
    const line = carriageReturnEndsLine ? raw.replace(/\r$/, '') : raw;
    if (line === '' || line === '\r') continue;
    const colon = line.indexOf(':');
    if (colon < 1) throw new StompProtocolError('A header line has no name');
    count += 1;
    if (count > MAX_HEADERS) throw new StompProtocolError(`More than ${MAX_HEADERS} headers`);
    let name = line.slice(0, colon);
    let value = line.slice(colon + 1);
    if (!unescaped && version !== '1.0') {
      name = unescapeHeader(name, version);
      value = unescapeHeader(value, version);
    } else if (version === '1.0') {
      value = value.trim();
    }
    // The specification lets the first of repeated headers win.
    headers[name] ??= value;
  }
  return { command, headers };
}

function contentLength(headers: Record<string, string>, maxBytes: number): number | undefined {
  const value = headers['content-length'];
  if (value === undefined) return undefined;
  if (!/^ *\d{1,9} *$/.test(value)) throw new StompProtocolError('content-length is not a number');
  const length = Number(value);
  if (length > maxBytes) throw new StompProtocolError(`Frame is larger than ${maxBytes} bytes`);
  return length;
}

const ESCAPES: Record<string, string> = { '\\\\': '\\', '\\n': '\n', '\\c': ':', '\\r': '\r' };

function unescapeHeader(text: string, version: StompVersion): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\.?/gs, (sequence) => {
    const plain = version === '1.1' && sequence === '\\r' ? undefined : ESCAPES[sequence];
    if (plain === undefined) throw new StompProtocolError('A header holds an undefined escape sequence');
    return plain;
  });
}

function escapeHeader(text: string, version: StompVersion, unescaped: boolean): string {
  const safe = text.replaceAll('\0', '');
  // Without escapes a line break would start a new header, so it becomes a space.
  if (unescaped || version === '1.0') return safe.replace(/[\r\n]+/g, ' ');
  const escaped = safe.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll(':', '\\c');
  return version === '1.2' ? escaped.replaceAll('\r', '\\r') : escaped;
}

/** The frame as it goes over the wire; `content-length` is added where there is a body. */
export function writeFrame(frame: { command: string; headers?: Record<string, string>; body?: string }, version: StompVersion): string {
  const unescaped = UNESCAPED.has(frame.command);
  const body = frame.body ?? '';
  const headers = { ...frame.headers };
  if (body !== '') headers['content-length'] = String(Buffer.byteLength(body, 'utf8'));
  const lines = Object.entries(headers).map(
    ([name, value]) => `${escapeHeader(name, version, unescaped)}:${escapeHeader(value, version, unescaped)}\n`,
  );
  return `${frame.command}\n${lines.join('')}\n${body}\0`;
}
