/** The source `email`: one connector, four kinds of mailbox behind it, chosen by `settings.provider`. */
import type { Capabilities } from '../../model/capabilities.ts';
import type { Content } from '../../model/content.ts';
import { invalid, ProviderError } from '../../model/errors.ts';
import { isAddress, normalAddress } from '../../model/mail-address.ts';
import { type Connector, type ConnectorContext, defineConnector } from '../connector.ts';
import { problemsOf } from './build.ts';
import { createBuiltin } from './builtin.ts';
import { connectedAs, testedOnConnect, testedOnHealth } from './connected.ts';
import { authorityOf, custom } from './custom.ts';
import { google } from './google.ts';
import type { MailboxKind } from './kind.ts';
import { microsoft, withClientState } from './microsoft.ts';
import { notificationUrl } from './microsoft-receive.ts';
import { contentAt } from './mime.ts';
import type { MxOptions } from './mx.ts';
import { rotatedFrom } from './oauth.ts';
import { IDENTITY, readMailEvent, readWake } from './parse.ts';
import { bytesOf, isMail, isWake, SOURCE } from './raw.ts';
import { type Mailbox, MailCredentials, MailInput, type MailProvider, MailSettings, split } from './settings.ts';
import { simulated } from './simulated.ts';

const MB = 1024 * 1024;
const FILE = { maxBytes: 25 * MB, types: ['*'], caption: 1_000_000 };

const CAPABILITIES: Capabilities = {
  text: { max: 1_000_000 },
  media: { image: FILE, video: FILE, audio: FILE, file: FILE },
  email: true,
  receipts: { delivered: true, read: true },
  replies: true,
  startsConversations: true,
  window: null,
  nodes: ['messaging', 'messaging.outgoing', 'messaging.outgoing.mms', 'messaging.incoming', 'messaging.incoming.mms'],
};

/** What Microsoft and Google allow a mailbox; a server of one's own is met more gently than it may allow. */
const PACING: Record<MailProvider, { perSecond: number }> = {
  microsoft: { perSecond: 0.5 },
  google: { perSecond: 2 },
  smtp: { perSecond: 2 },
  aurion: { perSecond: 10 },
};

/** The connector; tests replace the way to mail exchangers. */
export function createEmailConnector(mx?: MxOptions): Connector {
  const kinds: Record<MailProvider, MailboxKind> = { aurion: createBuiltin(mx), microsoft, google, smtp: custom };
  const kindOf = (mailbox: Mailbox, context?: ConnectorContext) =>
    mailbox.sandbox || context?.sandbox ? simulated : kinds[mailbox.settings.provider];

  return defineConnector({
    source: SOURCE,
    title: 'Email',
    description: 'Microsoft 365, Gmail, any SMTP and IMAP server, or the built-in mail server.',
    category: 'email',
    guide: 'channels/email-smtp-imap.md',
    look: {
      color: '#2563eb',
      icon: 'M3 5h18a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1Zm1.4 2 7.6 5.6L19.6 7H4.4ZM4 9.2V17h16V9.2l-8 5.9-8-5.9Z',
    },
    input: MailInput,
    settings: MailSettings,
    credentials: MailCredentials,
    identity: { kind: IDENTITY, scoped: false },
    // Tried when a mailbox is connected with them: an account without an address cannot be.
    accounts: { type: 'email', providers: ['aurion', 'microsoft', 'google', 'smtp'], identifier: 'email', provider: 'provider' },
    capabilities: CAPABILITIES,
    pacing: (mailbox) => PACING[mailbox.settings.provider],

    setup(mailbox, config) {
      if (mailbox.settings.provider === 'microsoft') {
        return [
          {
            label: 'Notification address',
            value: notificationUrl(mailbox, { config }),
            help: 'Subscribed to by itself where PUBLIC_URL is https.',
          },
        ];
      }
      if (mailbox.settings.provider === 'google') {
        return [
          {
            label: 'Pub/Sub push endpoint',
            value: `${config.publicUrl.replace(/\/+$/, '')}/hooks/gmail`,
            help: 'Only for pushes; also the audience of their token.',
          },
        ];
      }
      return [];
    },

    async connect(input, context) {
      const address = normalAddress(input.email);
      if (!isAddress(address)) throw invalid('email', 'is not a mail address');
      const { settings, credentials } = split(input);
      const mailbox: Mailbox = {
        id: '',
        workspaceId: '',
        sourceChannelId: address,
        name: input.name ?? address,
        sandbox: context.sandbox ?? false,
        settings,
        credentials: settings.provider === 'microsoft' ? withClientState(credentials) : credentials,
        details: { connectedAt: context.now().toISOString() },
      };
      const report = await testedOnConnect(kindOf(mailbox, context), mailbox, context);
      // The test may have cost the token that was given: what the provider gave for it is kept in its place.
      const given = mailbox.credentials.refresh_token;
      const rotated = given && (await rotatedFrom(given, context));
      return connectedAs(rotated ? { ...mailbox, credentials: { ...mailbox.credentials, refresh_token: rotated } } : mailbox, report);
    },

    exclusive: ({ settings, details }) => settings.provider === 'aurion' && details.domain !== 'verified',

    async disconnect(mailbox, context) {
      await kindOf(mailbox, context).disconnect?.(mailbox, context);
    },

    async health(mailbox, context) {
      const report = await testedOnHealth(kindOf(mailbox, context), mailbox, context);
      return { ...report, details: { ...report.details, connectedAt: mailbox.details.connectedAt } };
    },

    parse(event) {
      if (isWake(event)) return readWake(event);
      throw new Error('mail is read by `read`');
    },

    read: (event, mailbox, spool) => readMailEvent(event, { agents: mailbox?.settings.agents ?? [], spool }),

    async mediaOf(ref, event, spool) {
      const index = /^part:(\d+)$/.exec(ref.providerRef ?? '')?.[1];
      if (!index || !isMail(event)) {
        throw new ProviderError('rejected', `the mail has no ${ref.providerRef ?? 'such part'}`, { code: 'media-gone' });
      }
      return {
        data: contentAt(bytesOf(event, spool), Number(index)),
        ...(ref.mimeType ? { mimeType: ref.mimeType } : {}),
        ...(ref.filename ? { filename: ref.filename } : {}),
      };
    },

    check(content: Content) {
      return content.type === 'email' ? problemsOf(content) : [];
    },

    send: (message, mailbox, context) => kindOf(mailbox, context).send(message, mailbox, context),

    async settle(message, mailbox, context) {
      // SMTP knows no question about a mail that was handed over; its bounce or its copy in the Sent folder tells.
      return (await kindOf(mailbox, context).settle?.(message, mailbox, context)) ?? { outcome: 'unknown' };
    },

    async receive(mailbox, context) {
      await kindOf(mailbox, context).receive?.(mailbox, context);
    },

    consent: {
      applies: ({ settings }) => settings.provider === 'microsoft' || settings.provider === 'google' || authorityOf(settings) !== undefined,
      async start(mailbox, context, request) {
        if (mailbox.settings.provider === 'smtp' && !authorityOf(mailbox.settings)) return undefined;
        return kindOf(mailbox, context).consent?.start(mailbox, context, request);
      },
      async finish(mailbox, context, answer) {
        const { consent } = kindOf(mailbox, context);
        if (!consent) throw new ProviderError('rejected', 'this mailbox needs no consent', { code: 'no-consent' });
        return consent.finish(mailbox, context, answer);
      },
    },
  });
}
