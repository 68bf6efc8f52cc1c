/** R1: killed at any moment, nothing acknowledged is lost and nothing shows twice. */
import { createHmac, randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { killUnderLoad, repeatedly } from '../support/kill.ts';
import { type RunningPatchbay, startPatchbay, temporaryFolder } from '../support/patchbay.ts';

const KEY = 'ak_live_killkillkillkillkillkillkillkillkillkill';
const SECRET = 'partner-key';
const ROUNDS = 5;
const WRITERS = 8;

interface Page {
  data: { id: string; content: { text?: string; message?: { text?: string } } }[];
  pagination_data: { next_cursor: string | null };
}

async function call<T>(patchbay: RunningPatchbay, path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
  const response = await fetch(`${patchbay.url}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': KEY, ...headers },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

/** A visitor writes; only what was answered counts as said. */
async function write(patchbay: RunningPatchbay, token: string, said: Set<string>): Promise<void> {
  const text = randomUUID();
  await call(patchbay, 'chatplugin.send', { message: { text }, client_id: randomUUID() }, { authorization: `Bearer ${token}` });
  said.add(text);
}

/** A signed Business Messages webhook: the generic door. It is delivered twice, as providers do. */
async function ring(patchbay: RunningPatchbay, person: string, said: Set<string>): Promise<void> {
  const text = randomUUID();
  const body = JSON.stringify({
    agent: 'brands/b/agents/gbm-1',
    conversationId: person,
    message: { messageId: text, name: `conversations/${person}/messages/${text}`, text, createTime: new Date().toISOString() },
    context: { userInfo: { displayName: person } },
    sendTime: new Date().toISOString(),
  });
  const headers = { 'content-type': 'application/json', 'x-goog-signature': createHmac('sha512', SECRET).update(body).digest('base64') };
  for (let delivery = 0; delivery < 2; delivery++) {
    const response = await fetch(`${patchbay.url}/hooks/google`, { method: 'POST', headers, body });
    if (response.ok) said.add(text);
  }
}

async function everything(patchbay: RunningPatchbay, conversationId: string): Promise<string[]> {
  const texts: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Page = await call<Page>(patchbay, 'messages.list', { conversation_id: conversationId, page_size: 500, cursor });
    texts.push(...page.data.map((message) => message.content.text ?? message.content.message?.text ?? ''));
    cursor = page.pagination_data.next_cursor;
  } while (cursor);
  return texts;
}

it('keeps every acknowledged message once, in live chat and through webhooks', async () => {
  const env = {
    DATA_DIR: `${await temporaryFolder()}/data`,
    PATCHBAY_API_KEY: KEY,
    GOOGLE_PARTNER_KEY: SECRET,
    LOG_LEVEL: 'error',
  };
  const said = new Set<string>();
  const first = await startPatchbay(env);
  const { id: channelId } = await call<{ id: string }>(first, 'channels.chatplugin.connect', { name: 'site' });
  await call(first, 'channels.google.connect', { gbm_id: 'gbm-1', name: 'Agent' });
  const tokens = await Promise.all(
    Array.from(
      { length: WRITERS },
      async () => (await call<{ token: string }>(first, 'chatplugin.authenticate', { channel_id: channelId })).token,
    ),
  );

  const patchbay = await killUnderLoad(first, env, {
    rounds: ROUNDS,
    progress: () => said.size,
    work: tokens.flatMap((token, person) => [
      (running, gone) => repeatedly(gone, () => write(running, token, said)),
      (running, gone) => repeatedly(gone, () => ring(running, `person-${person}`, said)),
    ]),
  });

  const { data: conversations } = await call<{ data: { id: string }[] }>(patchbay, 'conversations.list', { page_size: 1000 });
  const shown = (await Promise.all(conversations.map((conversation) => everything(patchbay, conversation.id)))).flat();
  expect(said.size).toBeGreaterThanOrEqual(100);
  expect(new Set(shown).size).toBe(shown.length);
  const lost = [...said].filter((text) => !shown.includes(text));
  expect(lost).toEqual([]);
  expect(conversations.length).toBeLessThanOrEqual(2 * WRITERS);
}, 180_000);
