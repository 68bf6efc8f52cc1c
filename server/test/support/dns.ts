/** A name server on a port of its own: speaks the wire format, so that the resolver is the real one. */
import { createSocket } from 'node:dgram';
import { whenFileEnds } from './cleanup.ts';

export interface Zone {
  /** By name in lower case. Long texts are cut into pieces, as name servers do. */
  txt: Record<string, string[]>;
  mx: Record<string, { priority: number; exchange: string }[]>;
  /** Every question is answered with SERVFAIL. */
  ill: boolean;
}

const TYPES = { 15: 'mx', 16: 'txt' } as const;
const RCODE = { ok: 0, ill: 2, noSuchName: 3 };

/** Starts it; closed when the test file ends. */
export async function startNameServer(): Promise<Zone & { address: string }> {
  const zone: Zone = { txt: {}, mx: {}, ill: false };
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => socket.send(answer(query, zone), from.port, from.address));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  whenFileEnds(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return Object.assign(zone, { address: `127.0.0.1:${socket.address().port}` });
}

function answer(query: Buffer, zone: Zone): Buffer {
  const { name, end } = readName(query, 12);
  const type = TYPES[query.readUInt16BE(end) as keyof typeof TYPES];
  const data = type === 'txt' ? (zone.txt[name] ?? []).map(textData) : type === 'mx' ? (zone.mx[name] ?? []).map(mxData) : [];
  const known = name in zone.txt || name in zone.mx;
  const code = zone.ill ? RCODE.ill : known ? RCODE.ok : RCODE.noSuchName;
  const records = code === RCODE.ok ? data : [];
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  const question = query.subarray(12, end + 4);
  return Buffer.concat([header, question, ...records.flatMap((record) => [recordHead(query.readUInt16BE(end), record.length), record])]);
}

function readName(packet: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  while (packet[at] !== 0) {
    labels.push(packet.toString('latin1', at + 1, at + 1 + packet[at]!));
    at += packet[at]! + 1;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

/** The name is a pointer to the question's; a minute to live. */
function recordHead(type: number, length: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(length, 10);
  return head;
}

function textData(text: string): Buffer {
  const pieces = text.match(/.{1,255}/g) ?? [''];
  return Buffer.concat(pieces.map((piece) => Buffer.concat([Buffer.from([piece.length]), Buffer.from(piece, 'latin1')])));
}

function mxData({ priority, exchange }: { priority: number; exchange: string }): Buffer {
  const labels = exchange.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')]));
  return Buffer.concat([Buffer.from([priority >> 8, priority & 255]), ...labels, Buffer.from([0])]);
}
