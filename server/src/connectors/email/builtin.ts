/** The built-in mail server's mailboxes (provider `aurion`): mail arrives by `server.ts`, leaves by a relay or straight to MX. */
import { ProviderError } from '../../model/errors.ts';
import { domainOf } from '../../model/mail-address.ts';
import type { ConnectorContext } from '../connector.ts';
import { type BuiltMail, buildMail } from './build.ts';
import { type MailboxKind, receiptFor } from './kind.ts';
import { type MxOptions, sendToMx, systemMx } from './mx.ts';
import { sendToAll } from './recipients.ts';
import type { Mailbox } from './settings.ts';
import { type SmtpAccess, sendSmtp } from './smtp.ts';

/** Mailboxes of the built-in server; the way to mail exchangers can be replaced in tests. */
export function createBuiltin(mx: MxOptions = systemMx): MailboxKind {
  return {
    async test(mailbox, context) {
      const name = domainOf(mailbox.sourceChannelId);
      const { owner = 'nobody', failing = false } = (await context.mailDomain?.(name)) ?? {};
      if (owner === 'somebody else') {
        throw new ProviderError('rejected', `${name} was verified by another workspace of this installation; its mail goes there.`, {
          code: 'domain-taken',
          scope: 'channel',
        });
      }
      const key = await keyOf(mailbox, context);
      return {
        ...(failing
          ? { status: 'warning', reason: `DNS records of ${name} are missing: see Mail domains for what to set again.` }
          : { status: 'active' }),
        details: {
          receives: true,
          outbound: context.config.get('SMTP_RELAY_URL') ? 'relay' : 'mx',
          dkim: key ? `${key.selector}._domainkey.${name}` : null,
          domain: owner === 'us' ? 'verified' : 'unverified',
        },
      };
    },

    async send(message, mailbox, context) {
      const mail = await buildMail(message, mailbox, context, { tagged: true });
      const raw = await signed(mail, mailbox, context);
      const relay = context.config.get('SMTP_RELAY_URL');
      const answer = await sendToAll(message.id, mail, context, (envelope) =>
        relay
          ? sendSmtp(relayOf(relay), envelope, raw, context)
          : sendToMx(envelope, raw, context, { ...mx, name: mx.name ?? nameOf(context) }),
      );
      return receiptFor(mail, {
        details: { response: answer.response, ...(answer.rejected.length > 0 ? { rejected: answer.rejected } : {}) },
      });
    },
  };
}

/** `smtp://user:pass@host:port`, or `smtps://` for TLS from the start. Throws `ProviderError` naming the variable. */
export function relayOf(value: string): SmtpAccess {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url?.hostname || !/^smtps?:$/.test(url.protocol)) {
    throw new ProviderError('rejected', 'SMTP_RELAY_URL must look like smtp://user:pass@host:port', {
      code: 'SMTP_RELAY_URL',
      scope: 'channel',
    });
  }
  const secure = url.protocol === 'smtps:';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (secure ? 465 : 587),
    tls: secure,
    implicitTls: secure,
    ...(url.username ? { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) } : {}),
  };
}

/** What the mailbox signs with: a key of its own, else the one of its domain. */
async function keyOf(mailbox: Mailbox, context: ConnectorContext): Promise<{ selector: string; privateKey: string } | undefined> {
  const name = domainOf(mailbox.sourceChannelId);
  const { dkim } = mailbox.credentials;
  if (dkim?.domain.toLowerCase() === name) return { selector: dkim.selector, privateKey: dkim.private_key };
  return (await context.mailDomain?.(name))?.dkim;
}

/** With a DKIM signature in front where the mailbox's domain has a key. */
async function signed(mail: BuiltMail, mailbox: Mailbox, context: ConnectorContext): Promise<Buffer> {
  const key = await keyOf(mailbox, context);
  if (!key) return mail.raw;
  const signingDomain = domainOf(mailbox.sourceChannelId);
  const signature = { signingDomain, ...key };
  const { dkimSign } = await import('mailauth');
  const { signatures, errors } = await dkimSign(mail.raw, {
    ...signature,
    canonicalization: 'relaxed/relaxed',
    algorithm: 'rsa-sha256',
    signatureData: [signature],
  });
  if (signatures === '') {
    const [problem] = errors as { err?: Error }[];
    throw new ProviderError('rejected', `The DKIM key of ${signingDomain} cannot sign: ${problem?.err?.message ?? 'unreadable key'}`, {
      code: 'dkim',
      scope: 'channel',
    });
  }
  return Buffer.concat([Buffer.from(signatures), mail.raw]);
}

function nameOf(context: ConnectorContext): string {
  return new URL(context.config.publicUrl).hostname;
}
