/**
 * A provider that takes any WhatsApp message and answers in 50 ms. Reports, when asked, what came: how many, in which
 * order for each recipient, and how many in the busiest second of each number.
 */
import { createServer } from 'node:http';

const ANSWER_MS = 50;
let taken = 0;
let disordered = 0;
let twice = 0;
const newest = new Map<string, number>();
const starts = new Map<string, number[]>();

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const number = request.url!.split('/')[2]!;
    const body = JSON.parse(Buffer.concat(chunks).toString()) as { to: string; text: { body: string } };
    const n = Number(body.text.body.split(' ').at(-1));
    const key = `${number} ${body.to}`;
    const before = newest.get(key) ?? -1;
    if (n === before) twice++;
    if (n < before) disordered++;
    newest.set(key, n);
    const times = starts.get(number);
    if (times) times.push(Date.now());
    else starts.set(number, [Date.now()]);
    const id = `wamid.${++taken}`;
    setTimeout(() => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ messaging_product: 'whatsapp', contacts: [{ input: body.to, wa_id: body.to }], messages: [{ id }] }));
    }, ANSWER_MS);
  });
});
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as { port: number }).port }));

process.on('message', () => {
  const busiest = Math.max(0, ...[...starts.values()].map(mostWithinASecond));
  process.send!({ taken, disordered, twice, busiest });
});

function mostWithinASecond(times: number[]): number {
  let from = 0;
  let most = 0;
  times.forEach((time, n) => {
    while (time - times[from]! >= 1000) from++;
    most = Math.max(most, n - from + 1);
  });
  return most;
}
