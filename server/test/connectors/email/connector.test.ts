import { describe, expect, it } from 'vitest';
import { createEmailConnector } from '../../../src/connectors/email/connector.ts';
import { email } from '../../../src/connectors/email/index.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { listener, mailbox, testContext } from './context.ts';
import { MAILBOX, mail, message } from './mail.ts';

const connector = createEmailConnector();

describe('the source email', () => {
  it('declares its secrets as secrets', () => {
    const names = Object.entries(connector.input.properties)
      .filter(([, schema]) => (schema as { secret?: boolean }).secret)
      .map(([name]) => name);
    expect(names.sort()).toEqual(['client_secret', 'dkim', 'imap_password', 'password', 'refresh_token']);
    for (const name of names) expect(connector.settings.properties).not.toHaveProperty(name);
    expect(email.hooks!.map((hook) => hook.path)).toEqual(['/hooks/microsoft', '/hooks/gmail']);
  });

  it('takes a built-in mailbox by its address alone', async () => {
    expect(await connector.connect({ email: ' Help@Shop.Example ', provider: 'aurion' }, testContext())).toMatchObject({
      sourceChannelId: 'help@shop.example',
      status: 'active',
      settings: { provider: 'aurion' },
      credentials: {},
    });
    await expect(connector.connect({ email: 'no address', provider: 'aurion' }, testContext())).rejects.toMatchObject({
      problems: [{ field: 'email' }],
    });
  });

  it('makes an SMTP mailbox whose server is not there yet', async () => {
    const input = { email: MAILBOX, provider: 'smtp', host: 'smtp.invalid', port: 587, username: 'u', password: 'p', use_tls: true };
    expect(await connector.connect(input, testContext())).toMatchObject({
      status: 'pending',
      statusReason: expect.stringContaining('step dns failed'),
    });
    await expect(connector.connect({ email: MAILBOX, provider: 'smtp' }, testContext())).rejects.toMatchObject({
      problems: [{ field: 'host' }],
    });
  });

  it('dials only where it may', async () => {
    const context = testContext();
    context.resolveHost = async () => {
      throw new Error('is a private address');
    };
    const connected = await connector.connect({ email: MAILBOX, provider: 'smtp', host: '127.0.0.1', port: 25 }, context);
    expect(connected).toMatchObject({ status: 'pending', statusReason: expect.stringContaining('private address') });
  });

  it('lets nothing out with a test key', async () => {
    const context = { ...testContext({ SMTP_RELAY_URL: 'smtp://127.0.0.1:1' }), sandbox: true };
    for (const provider of ['aurion', 'microsoft', 'google', 'smtp']) {
      expect(await connector.connect({ email: MAILBOX, provider }, context)).toMatchObject({ status: 'active' });
      const channel = { ...mailbox(MAILBOX, { provider: provider as 'smtp' }), sandbox: true };
      const id = uuidv7();
      const receipt = await connector.send!(
        { id, to: [{ kind: 'emailaddress', value: 'a@example.com' }], content: { type: 'text', text: 'x' } },
        channel,
        testContext(),
      );
      expect(receipt.providerId).toBe(`${id}@shop.example`);
      const ear = listener(testContext());
      ear.stop();
      await connector.receive!(channel, ear.context);
    }
  });

  it('says what is wrong with a mail before it is sent', () => {
    expect(
      connector.check!({ type: 'email', subject: 'a\r\nb', text: '', to: [{ address: 'x' }] }, mailbox(MAILBOX, { provider: 'aurion' })),
    ).toHaveLength(2);
    expect(connector.check!({ type: 'text', text: 'a\r\nb' }, mailbox(MAILBOX, { provider: 'aurion' }))).toEqual([]);
  });

  it('answers go where the sender wants them', async () => {
    const asked = await message(mail({ 'Reply-To': 'orders@example.com', 'In-Reply-To': '' }));
    const receipt = await connector.send!(
      {
        id: uuidv7(),
        to: [{ kind: 'emailaddress', value: 'ann@example.com' }],
        content: { type: 'text', text: 'x' },
        thread: asked.thread,
      },
      { ...mailbox(MAILBOX, { provider: 'aurion' }), sandbox: true },
      testContext(),
    );
    expect(receipt.payload).toMatchObject({ envelope: { to: ['orders@example.com'] }, subject: 'Re: Order 7' });
    expect(receipt.threadData).toMatchObject({ references: ['m1@example.com', receipt.providerId] });
  });
});
