// A guestbook as a channel of Patchbay: the smallest source there can be. Plain Node, no packages.
//
//   visitors write   POST /say            {"name": "ada", "text": "Lovely place!"}
//   they read        GET  /book/ada       what was written to and by them
//   Patchbay sends   POST /action         messages for visitors, signed
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const { INBOUND_URL, SECRET, PORT = '4000' } = process.env;
if (!INBOUND_URL || !SECRET) {
  console.error('Set INBOUND_URL and SECRET: both are shown when you connect "Your own channel" in Patchbay.');
  process.exit(1);
}
const key = Buffer.from(SECRET.replace(/^whsec_/, ''), 'base64');

/** Pages of the book, by visitor. */
const book = new Map();
/** What we answered to each message of Patchbay's: it may ask twice, and each message is taken once. */
const taken = new Map();

function sign(id, timestamp, body) {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

function isSigned(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': given = '' } = headers;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const expected = Buffer.from(sign(id, timestamp, body));
  return given.split(' ').some((one) => one.length === expected.length && timingSafeEqual(Buffer.from(one), expected));
}

function write(name, who, text) {
  const pages = book.get(name) ?? [];
  pages.push({ who, text });
  book.set(name, pages);
}

/** A visitor wrote: tell Patchbay. */
async function say({ name, text }) {
  const id = crypto.randomUUID();
  write(name, name, text);
  const body = JSON.stringify({
    messages: [
      {
        source_message_id: id,
        source_conversation_id: name,
        source_sender_id: name,
        sender_name: name,
        content: { text },
        from_contact: true,
        sent_at: Date.now(),
      },
    ],
  });
  const timestamp = Math.floor(Date.now() / 1000);
  const response = await fetch(INBOUND_URL, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': sign(id, timestamp, body),
    },
    body,
  });
  return { status: response.ok ? 200 : 502, answer: { patchbay: response.status } };
}

/** Patchbay sends: write it into the visitor's page. */
function act({ payload: { message, conversation } }) {
  if (!taken.has(message.id)) {
    const text = typeof message.content === 'string' ? message.content : message.content.text;
    if (typeof text !== 'string') return { status: 400, answer: { error: 'A guestbook takes text only' } };
    write(conversation.source_conversation_id, 'us', text);
    taken.set(message.id, { source_message_id: `page-${taken.size + 1}` });
  }
  return { status: 200, answer: taken.get(message.id) };
}

async function handle(request, body) {
  if (request.method === 'GET' && request.url.startsWith('/book/')) {
    return { status: 200, answer: book.get(decodeURIComponent(request.url.slice(6))) ?? [] };
  }
  if (request.method === 'POST' && request.url === '/say') return await say(JSON.parse(body));
  if (request.method === 'POST' && request.url === '/action') {
    if (!isSigned(request.headers, body)) return { status: 401, answer: { error: 'wrong signature' } };
    return act(JSON.parse(body));
  }
  return { status: 404, answer: { error: 'no such page' } };
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  let result;
  try {
    result = await handle(request, Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    result = { status: 400, answer: { error: error.message } };
  }
  response.writeHead(result.status, { 'content-type': 'application/json' }).end(JSON.stringify(result.answer));
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(`guestbook on http://127.0.0.1:${server.address().port}`));
