/** Somebody's own servers (provider `smtp`): SMTP for sending, IMAP for receiving where an IMAP host is given. */
import { PatchbayError, ProviderError } from '../../model/errors.ts';
import type { ConnectorContext, HealthReport } from '../connector.ts';
import { buildMail } from './build.ts';
import { consentBy } from './consent.ts';
import { type FolderWatch, type ImapAccess, type ImapCursor, testImap, watchFolder } from './imap.ts';
import { type Listening, type MailboxKind, receiptFor } from './kind.ts';
import { connectedSince, ended, isRefusal, keepTrying, pause, reporter } from './listening.ts';
import { type Authority, accessToken, type Client, CONSENT_REQUIRED, clientOf, SCOPES } from './oauth.ts';
import { sendToAll } from './recipients.ts';
import type { Mailbox } from './settings.ts';
import { type SmtpAccess, sendSmtp, testSmtp } from './smtp.ts';
import { StepError } from './steps.ts';
import { Stumbles } from './stumbles.ts';

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
      check('smtp', () => signedIn(mailbox, context, (token) => testSmtp(smtpOf(mailbox, token), context))),
      ...(settings.imap_host
        ? [check('imap', () => signedIn(mailbox, context, (token) => testImap(imapOf(mailbox, token), foldersOf(mailbox), context)))]
        : []),
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
    const answer = await sendToAll(message.id, mail, context, (envelope) =>
      signedIn(mailbox, context, (token) => sendSmtp(smtpOf(mailbox, token), envelope, mail.raw, context)),
    );
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

  consent: consentBy(
    (mailbox, context) => oauthClient(mailbox, context),
    () => custom,
  ),
};

function receiveFolder(
  folder: string,
  mailbox: Mailbox,
  context: Listening,
  cursor: ImapCursor,
  report: (report: HealthReport) => Promise<void>,
): Promise<void> {
  const stumbles = new Stumbles();
  return keepTrying(context, report, async (well) => {
    const watch: FolderWatch = {
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
      stumbles,
      log: context.log,
      wait: (ms) => pause(context, ms),
      now: () => context.now(),
      caughtUp: well,
      signal: context.signal,
    };
    await signedIn(mailbox, context, (token) => watchFolder(imapOf(mailbox, token), watch, context));
  });
}

function foldersOf(mailbox: Mailbox): string[] {
  return mailbox.settings.folders?.length ? mailbox.settings.folders : ['INBOX'];
}

function smtpOf(mailbox: Mailbox, token: string | undefined): SmtpAccess {
  const { settings, credentials } = mailbox;
  const user = settings.username ?? (token || credentials.password ? mailbox.sourceChannelId : undefined);
  return {
    host: settings.host ?? '',
    port: settings.port ?? 587,
    tls: settings.use_tls ?? true,
    user,
    ...(token ? { accessToken: token } : { password: credentials.password }),
  };
}

function imapOf(mailbox: Mailbox, token: string | undefined): ImapAccess {
  const { settings, credentials } = mailbox;
  return {
    host: settings.imap_host ?? '',
    port: settings.imap_port ?? 993,
    tls: settings.imap_use_tls ?? true,
    user: settings.imap_username ?? settings.username ?? mailbox.sourceChannelId,
    ...(token ? { accessToken: token } : { password: credentials.imap_password ?? credentials.password }),
  };
}

/** Whose tokens a mailbox signs in with (XOAUTH2); undefined when it has a password. */
export function authorityOf({ provider, auth }: Mailbox['settings']): Authority | undefined {
  return provider === 'smtp' && (auth === 'microsoft' || auth === 'google') ? auth : undefined;
}

/** The OAuth client of a mailbox that signs in by XOAUTH2. */
function oauthClient({ settings, credentials }: Mailbox, context: ConnectorContext): Client {
  const authority = authorityOf(settings) ?? 'microsoft';
  const scopes = authority === 'google' ? SCOPES.googleServers : SCOPES.microsoftServers;
  return clientOf(authority, scopes, settings, credentials, context.config);
}

/** Does what needs a sign-in; with a fresh token once more when the server took the kept one back before its time. */
async function signedIn<T>(mailbox: Mailbox, context: ConnectorContext, work: (token: string | undefined) => Promise<T>): Promise<T> {
  const token = await tokenOf(mailbox, context);
  try {
    return await work(token);
  } catch (error) {
    if (token === undefined || !isRefusal(error)) throw error;
    return work(await tokenOf(mailbox, context, token));
  }
}

/** The access token of a mailbox that signs in by XOAUTH2. */
async function tokenOf(mailbox: Mailbox, context: ConnectorContext, refused?: string): Promise<string | undefined> {
  const { settings, credentials } = mailbox;
  if (!authorityOf(settings)) return undefined;
  if (!credentials.refresh_token) {
    throw new ProviderError('unauthorized', 'Nobody has consented to the access to this mailbox yet.', {
      code: CONSENT_REQUIRED,
      scope: 'channel',
      hint: 'Open the channel and grant access.',
    });
  }
  return accessToken(oauthClient(mailbox, context), credentials, context, refused);
}
