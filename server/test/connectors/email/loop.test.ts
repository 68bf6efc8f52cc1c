import { describe, expect, it } from 'vitest';
import { buildMail } from '../../../src/connectors/email/build.ts';
import type { EmailContent } from '../../../src/model/content.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { mailbox, testContext } from './context.ts';
import { MAILBOX, mail, message } from './mail.ts';

describe('a mail loop dies', () => {
  const support = mailbox(MAILBOX, { provider: 'aurion' });
  const auto = (text: string): EmailContent => ({
    type: 'email',
    subject: 'We got your mail',
    text,
    headers: { 'Auto-Submitted': 'auto-replied' },
  });

  it('at once, when both machines say that they are machines', async () => {
    const reply = await buildMail(
      { id: uuidv7(), to: [{ kind: 'emailaddress', value: 'ann@example.com' }], content: auto('Thanks') },
      support,
      testContext(),
    );
    const back = await message(reply.raw);
    expect(back.automatic).toBe(true);
  });

  it('marks a mail with too many hops', async () => {
    const raw = Buffer.concat([Buffer.from('Received: from a by b; Sat, 21 Nov 2026 10:00:00 +0000\r\n'.repeat(60)), mail({})]);
    expect((await message(raw)).facts?.automatic).toBe('too many hops');
  });
});
