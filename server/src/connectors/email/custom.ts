/** Somebody's own servers (provider `smtp`): SMTP for sending, IMAP for receiving where an IMAP host is given. */
import { PatchbayError, ProviderError } from '../../model/errors.ts';
import type { ConnectorContext, HealthReport } from '../connector.ts';
import { buildMail } from './build.ts';
import { type ImapAccess, type ImapCursor, testImap, watchFolder } from './imap.ts';
import { type Listening, type MailboxKind, receiptFor } from './kind.ts';
import { connectedSince, ended, keepTrying, pause, reporter } from './listening.ts';
import { accessToken, CONSENT_REQUIRED, clientOf, SCOPES } from './oauth.ts';
import type { Mailbox } from './settings.ts';
import { type SmtpAccess, sendSmtp, testSmtp } from './smtp.ts';
import { StepError } from './steps.ts';

export const custom: MailboxKind = {
  async test(mailbox, context) {
    const { settings } = mailbox;
    if (!settings.host)
      throw new PatchbayError('invalid', 'The SMTP host is missing.', { problems: [{ field: 'host', message: 'is required' }] });
    const checks: NonNullable<HealthReport['checks']> = [];
    const problems: string[] = [];
    const check = async (name: string, work: () => Promise<void>) => {
      try {
        await work();
        checks.push({ name, ok: true });
      } catch (error) {
        if (!(error instanceof StepError)) throw error;
        if (error.refused) throw error.asProviderError();
        checks.push({ name, ok: false, message: error.message });
        problems.push(error.message);
      }
    };
    await Promise.all([
      check('smtp', async () => testSmtp(await smtpOf(mailbox, context), context)),
      ...(settings.imap_host ? [check('imap', async () => testImap(await imapOf(mailbox, context), foldersOf(mailbox), context))] : []),
    ]);
    return {
      status: problems.length > 0 ? 'warning' : 'active',
      ...(problems.length > 0 ? { reason: problems.join('; ') } : {}),
      details: { receives: Boolean(settings.imap_host) },
      checks,
    };
  },

  async send(message, mailbox, context) {
    const mail = await buildMail(message, mailbox, context);
    const answer = await sendSmtp(await smtpOf(mailbox, context), mail.envelope, mail.raw, context);
    return receiptFor(mail, {
      details: { response: answer.response, ...(answer.rejected.length > 0 ? { rejected: answer.rejected } : {}) },
    });
  },

  async receive(mailbox, context) {
    if (!mailbox.settings.imap_host) return ended(context.signal);
    const cursor = ((await context.cursor.load()) ?? {}) as ImapCursor;
    const report = reporter(context);
    await Promise.all(foldersOf(mailbox).map((folder) => receiveFolder(folder, mailbox, context, cursor, report)));
  },
};

function receiveFolder(
  folder: string,
  mailbox: Mailbox,
  context: Listening,
  cursor: ImapCursor,
  report: (report: HealthReport) => Promise<void>,
): Promise<void> {
  return keepTrying(context, report, async (well) => {
    const access = await imapOf(mailbox, context);
    await watchFolder(
      access,
      {
        mailbox: mailbox.sourceChannelId,
        folder,
        since: connectedSince(mailbox),
        load: () => cursor[folder],
        save: async (place) => {
          cursor[folder] = place;
          await context.cursor.save(cursor);
        },
        deliver: (events) => context.deliver(events),
        spool: context.spool,
        wait: (ms) => pause(context, ms),
        now: () => context.now(),
        caughtUp: well,
        signal: context.signal,
      },
      context,
    );
  });
}

function foldersOf(mailbox: Mailbox): string[] {
  return mailbox.settings.folders?.length ? mailbox.settings.folders : ['INBOX'];
}

async function smtpOf(mailbox: Mailbox, context: ConnectorContext): Promise<SmtpAccess> {
  const { settings, credentials } = mailbox;
  const token = await tokenOf(mailbox, context);
  const user = settings.username ?? (token || credentials.password ? mailbox.sourceChannelId : undefined);
  return {
    host: settings.host ?? '',
    port: settings.port ?? 587,
    tls: settings.use_tls ?? true,
    user,
    ...(token ? { accessToken: token } : { password: credentials.password }),
  };
}

async function imapOf(mailbox: Mailbox, context: ConnectorContext): Promise<ImapAccess> {
  const { settings, credentials } = mailbox;
  const token = await tokenOf(mailbox, context);
  return {
    host: settings.imap_host ?? '',
    port: settings.imap_port ?? 993,
    tls: settings.imap_use_tls ?? true,
    user: settings.imap_username ?? settings.username ?? mailbox.sourceChannelId,
    ...(token ? { accessToken: token } : { password: credentials.imap_password ?? credentials.password }),
  };
}

/** The access token of a mailbox that signs in by XOAUTH2. */
async function tokenOf(mailbox: Mailbox, context: ConnectorContext): Promise<string | undefined> {
  const { settings, credentials } = mailbox;
  if (settings.auth !== 'microsoft' && settings.auth !== 'google') return undefined;
  if (!credentials.refresh_token)
    throw new ProviderError('unauthorized', 'Signing in with OAuth needs a refresh token.', { code: CONSENT_REQUIRED, scope: 'channel' });
  const scopes = settings.auth === 'google' ? SCOPES.googleServers : SCOPES.microsoftServers;
  return accessToken(clientOf(settings.auth, scopes, settings, credentials, context.config), credentials, context);
}
