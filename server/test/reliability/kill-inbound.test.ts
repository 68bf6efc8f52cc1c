/** R1, inwards from providers: Meta's webhooks and mail through the built-in server, killed at any moment. */
import { createHmac, randomUUID } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { expect, it } from 'vitest';
import { createMetaSandbox } from '../../../sandbox/meta/index.ts';
import { testDatabase } from '../support/database.ts';
import { killUnderLoad, repeatedly } from '../support/kill.ts';
import { type RunningPatchbay, startPatchbay, temporaryFolder } from '../support/patchbay.ts';
import { freePort } from '../support/until.ts';

const KEY = 'ak_live_inboundinboundinboundinboundinboundinbou';
const NUMBER = '106540352242922';
const ACCOUNT = '102290129340398';
const PAGE = '555';
const INSTAGRAM = '17841';
const SECRET = 'app-secret';
const PEOPLE = 5;
const MAIL_CLIENTS = 3;
const ROUNDS = 5;

async function post(patchbay: RunningPatchbay, path: string, body: object): Promise<any> {
  const response = await fetch(`${patchbay.url}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': KEY },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

interface Webhook {
  body: string;
  headers: Record<string, string>;
}

function signed(payload: object): Webhook {
  const body = JSON.stringify(payload);
  const signature = createHmac('sha256', SECRET).update(body).digest('hex');
  return { body, headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` } };
}

/** One webhook of a page or an Instagram account: a message, what the business wrote elsewhere, and a pressed button. */
function pageWebhook(object: 'page' | 'instagram', account: string, person: number, ids: string[]): Webhook {
  const customer = { id: `90${account}${person}` };
  const own = { id: account };
  const timestamp = Date.now();
  const [written, echoed, pressed] = ids as [string, string, string];
  const messaging = [
    { sender: customer, recipient: own, timestamp, message: { mid: `m_${written}`, text: written } },
    { sender: own, recipient: customer, timestamp, message: { mid: `m_${echoed}`, text: echoed, is_echo: true } },
    { sender: customer, recipient: own, timestamp, postback: { mid: `m_${pressed}`, title: pressed, payload: 'BUTTON' } },
  ];
  return signed({ object, entry: [{ id: account, time: timestamp, messaging }] });
}

/** One webhook with three messages, of two people. */
function webhook(person: number, ids: string[]): Webhook {
  const people = [`4917000000${person}`, `4917000000${(person + 1) % PEOPLE}`];
  return signed({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: ACCOUNT,
        changes: [
          {
            field: 'messages',
            value: {
              messaging_product: 'whatsapp',
              metadata: { display_phone_number: '15550783881', phone_number_id: NUMBER },
              contacts: people.map((wa_id) => ({ profile: { name: `Customer ${wa_id}` }, wa_id })),
              messages: ids.map((id, n) => ({
                from: people[n % 2],
                id: `wamid.${id}`,
                timestamp: String(Math.floor(Date.now() / 1000)),
                type: 'text',
                text: { body: id },
              })),
            },
          },
        ],
      },
    ],
  });
}

it('keeps what a webhook’s 200 and a mail’s 250 acknowledged, once', async () => {
  const { database, url } = await testDatabase();
  const sandbox = createMetaSandbox({
    tokens: [{ value: 'good' }],
    wabas: [{ id: ACCOUNT, numbers: [{ id: NUMBER }] }],
    pages: [{ id: PAGE, instagram: { id: INSTAGRAM, username: 'shop', name: 'Shop' } }],
  });
  const mailPort = await freePort();
  const env = {
    DATA_DIR: `${await temporaryFolder()}/data`,
    DATABASE_URL: url,
    PATCHBAY_API_KEY: KEY,
    META_GRAPH_URL: await sandbox.app.listen({ port: 0, host: '127.0.0.1' }),
    META_APP_SECRET: SECRET,
    SMTP_INBOUND_PORT: String(mailPort),
    ALLOW_PRIVATE_NETWORK: '1',
    LOG_LEVEL: 'error',
  };
  const first = await startPatchbay(env);
  await post(first, 'channels.whatsapp.connect', {
    phone_number_id: NUMBER,
    business_account_id: ACCOUNT,
    user_token: 'good',
    name: 'WhatsApp',
  });
  const onPage = { page_id: PAGE, page_token: `page-token-${PAGE}` };
  await post(first, 'channels.facebook.connect', onPage);
  await post(first, 'channels.instagram.connect', { ...onPage, account_id: INSTAGRAM });
  await sandbox.app.close();
  await post(first, 'api/v2/email/channels', { name: 'Help', email: 'help@shop.example', provider: 'aurion' });

  const said = new Set<string>();
  const mailed = new Set<string>();
  const onPages = new Set<string>();
  const kinds: { said: Set<string>; write(person: number, ids: string[]): Webhook }[] = [
    { said, write: webhook },
    { said: onPages, write: (person, ids) => pageWebhook('page', PAGE, person, ids) },
    { said: onPages, write: (person, ids) => pageWebhook('instagram', INSTAGRAM, person, ids) },
  ];
  const ring = async (patchbay: RunningPatchbay, person: number, { said, write }: (typeof kinds)[number]) => {
    const ids = [randomUUID(), randomUUID(), randomUUID()];
    const request = write(person, ids);
    // As Meta does when in doubt; two of them at the same time.
    const deliver = async () => {
      const response = await fetch(`${patchbay.url}/hooks/meta`, { method: 'POST', ...request });
      if (response.status === 200) for (const id of ids) said.add(id);
    };
    await Promise.all([deliver(), deliver()]);
    for (let again = 0; again < 3; again++) await deliver();
  };
  const mail = async () => {
    const id = randomUUID();
    const transport = createTransport({ host: '127.0.0.1', port: mailPort, tls: { rejectUnauthorized: false } });
    // A mail that is sent again keeps its date.
    const written = { subject: id, text: 'Hello', messageId: `<${id}@out.example>`, date: new Date() };
    const sent = { from: `ann@${id}.example`, to: 'help@shop.example', ...written };
    try {
      await transport.sendMail(sent);
      mailed.add(id);
      // A sender that did not hear the 250 tries again.
      await transport.sendMail(sent);
    } finally {
      transport.close();
    }
  };
  const patchbay = await killUnderLoad(first, env, {
    rounds: ROUNDS,
    progress: () => Math.min(said.size, onPages.size, mailed.size * 4),
    work: [
      ...kinds.flatMap((kind) =>
        Array.from(
          { length: PEOPLE },
          (_, person) => (running: RunningPatchbay, gone: () => boolean) => repeatedly(gone, () => ring(running, person, kind)),
        ),
      ),
      ...Array.from({ length: MAIL_CLIENTS }, () => (_: RunningPatchbay, gone: () => boolean) => repeatedly(gone, mail)),
    ],
  });

  const { rows } = await database.query<{ source: string; content: { text?: string; subject?: string; title?: string } }>(
    'select source, content from messages',
  );
  const shown = rows.map(({ source, content }) => (source === 'email' ? content.subject! : (content.text ?? content.title!)));
  expect(said.size).toBeGreaterThanOrEqual(100);
  expect(onPages.size).toBeGreaterThanOrEqual(100);
  expect(mailed.size).toBeGreaterThan(20);
  expect(new Set(shown).size, 'shown twice').toBe(shown.length);
  const there = new Set(shown);
  expect([...said, ...onPages, ...mailed].filter((id) => !there.has(id))).toEqual([]);
  const conversations = await database.query<{ source: string; n: number }>(
    `select h.source, count(*)::integer as n from conversations c join channels h on h.id = c.channel_id where h.source <> 'email' group by 1 order by 1`,
  );
  expect(conversations.rows).toEqual(['facebook', 'instagram', 'whatsapp'].map((source) => ({ source, n: PEOPLE })));
  await patchbay.stop();
}, 300_000);
