/** Mails that are too large to be held: through the built-in server, into the service, out of it again. */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { housekeeper } from '../../src/engine/housekeeping.ts';
import type { EmailContent } from '../../src/model/content.ts';
import type { ChannelRow } from '../../src/store/channels.ts';
import { getMedia } from '../../src/store/media.ts';
import { getByProviderId } from '../../src/store/messages.ts';
import { testEngine } from '../support/engine.ts';
import { freePort, until } from '../support/until.ts';

let engine: Engine;
let channel: ChannelRow;
let port: number;

beforeAll(async () => {
  port = await freePort();
  engine = await testEngine({ SMTP_INBOUND_PORT: String(port) });
  channel = await engine.channels.connect({
    workspaceId: engine.defaultWorkspaceId,
    source: 'email',
    input: { email: 'big@built.example', name: 'Big', provider: 'aurion' },
    sandbox: false,
    existing: 'refuse',
  });
});

const folder = () => join(engine.config.dataDir, 'media', 'mail');
const files = randomBytes(30_000_000);
const parts = [files.subarray(0, 6_000_000), files.subarray(6_000_000)];
const digest = (data: Buffer) => createHash('sha256').update(data).digest('hex');

async function sweep() {
  const worker = housekeeper(engine);
  worker.start();
  await worker.stop();
}

describe('a mail of 40 MB', () => {
  it('is stored with its files, and the database has its beginning only', { timeout: 120_000 }, async () => {
    const transport = createTransport({ host: '127.0.0.1', port, tls: { rejectUnauthorized: false } });
    const attachments = parts.map((content, n) => ({ filename: `${n}.bin`, content }));
    const mail = { from: 'ann@out.example', to: 'big@built.example', subject: 'Plans', text: 'Two files', attachments };
    await transport.sendMail({ ...mail, messageId: '<big@out.example>' });
    const message = await getByProviderId(engine.database, channel.workspaceId, channel.id, 'big@out.example');
    const content = message?.content as EmailContent;
    expect(content).toMatchObject({ subject: 'Plans', reply: 'Two files', attachments: [{ size: 6_000_000 }, { size: 24_000_000 }] });
    for (const [n, { id }] of content.attachments!.entries()) {
      const row = await until(async () => {
        const found = await getMedia(engine.database, channel.workspaceId, id!);
        return found?.state === 'ready' && found;
      });
      expect(row).toMatchObject({ sha256: digest(parts[n]!), size: parts[n]!.length, filename: `${n}.bin` });
      expect((await engine.media.open(channel.workspaceId, id!))?.data.equals(parts[n]!)).toBe(true);
    }
    const raw = await engine.database.query<{ id: string; body: Buffer }>('select id, body from raw_events');
    expect(raw.rows.map(({ body }) => body.length)).toEqual([65_536]);
    expect(readdirSync(folder())).toHaveLength(1);
    expect(await engine.ingest.replay(channel.workspaceId, raw.rows[0]!.id)).toBe('applied');
    expect((await engine.database.query('select 1 from messages')).rowCount).toBe(1);
  });

  it('keeps its file as long as anything names it', async () => {
    const [name] = readdirSync(folder());
    const longAgo = new Date(Date.now() - 40 * 86_400_000);
    utimesSync(join(folder(), name!), longAgo, longAgo);
    await engine.database.query(`update raw_events set received_at = now() - interval '40 days'`);
    await sweep();
    expect(readdirSync(folder())).toEqual([name]);
    await engine.database.query('update messages set raw_event_id = null');
    await sweep();
    expect(readdirSync(folder())).toEqual([]);
  });
});
