/** What a mailbox is made of: the fields of its form, its shown settings, its write-only credentials. */
import { type Static, Type } from 'typebox';
import type { ChannelView } from '../connector.ts';

const Provider = Type.Union(
  [
    Type.Literal('aurion', { title: 'The built-in mail server', guide: 'channels/email-builtin.md' }),
    Type.Literal('microsoft', { title: 'Microsoft 365', guide: 'channels/email-microsoft365.md' }),
    Type.Literal('google', { title: 'Gmail', guide: 'channels/email-gmail.md' }),
    Type.Literal('smtp', { title: 'Another SMTP and IMAP server', guide: 'channels/email-smtp-imap.md' }),
  ],
  { title: 'Provider', description: 'Where the mailbox is. Each needs other things; the guide says which.' },
);

export type MailProvider = Static<typeof Provider>;

/** Which provider a field belongs to; the form shows it for that one only. */
const OAUTH = { provider: ['microsoft', 'google', 'smtp'] };
const SERVER = { provider: ['smtp'] };

/** Fields that any mailbox may have, whatever its provider. */
const common = {
  agents: Type.Optional(
    Type.Array(Type.String(), {
      title: 'Agents',
      description: 'Addresses (or @domains) of your own people. When one of them forwards a mail, its original sender is the customer.',
      editable: true,
    }),
  ),
  signature: Type.Optional(
    Type.String({ title: 'Signature', description: 'Plain text, put under every answer.', editable: true, multiline: true }),
  ),
  quote: Type.Optional(
    Type.Boolean({ title: 'Quote history', description: 'Put the mail that is answered below the answer.', editable: true }),
  ),
};

const microsoft = {
  client_id: Type.Optional(
    Type.String({
      title: 'Client ID',
      description: 'Of the app in Microsoft Entra, or of the OAuth client at Google.',
      when: OAUTH,
    }),
  ),
  tenant_id: Type.Optional(
    Type.String({ title: 'Tenant ID', description: 'Of the directory in Microsoft Entra.', when: { provider: ['microsoft'] } }),
  ),
};

const google = {
  topic: Type.Optional(
    Type.String({
      title: 'Pub/Sub topic',
      description: 'projects/…/topics/…; without one the mailbox is asked every minute.',
      editable: true,
      when: { provider: ['google'] },
    }),
  ),
  push_account: Type.Optional(
    Type.String({
      title: 'Push service account',
      description: 'Mail address of the service account that signs Pub/Sub pushes.',
      editable: true,
      when: { provider: ['google'] },
    }),
  ),
};

const server = {
  host: Type.Optional(Type.String({ when: SERVER, title: 'SMTP host', examples: ['smtp.example.com'] })),
  port: Type.Optional(Type.Integer({ when: SERVER, title: 'SMTP port', minimum: 1, maximum: 65535, examples: [587] })),
  username: Type.Optional(Type.String({ when: SERVER, title: 'SMTP user' })),
  use_tls: Type.Optional(
    Type.Boolean({
      when: SERVER,
      title: 'SMTP with TLS',
      description: 'On port 465 from the start, else by STARTTLS, which is then required.',
    }),
  ),
  imap_host: Type.Optional(Type.String({ when: SERVER, title: 'IMAP host', examples: ['imap.example.com'] })),
  imap_port: Type.Optional(Type.Integer({ when: SERVER, title: 'IMAP port', minimum: 1, maximum: 65535, examples: [993] })),
  imap_username: Type.Optional(Type.String({ when: SERVER, title: 'IMAP user', description: 'The SMTP user unless told.' })),
  imap_use_tls: Type.Optional(Type.Boolean({ when: SERVER, title: 'IMAP with TLS' })),
  folders: Type.Optional(
    Type.Array(Type.String(), {
      when: SERVER,
      title: 'Folders',
      description: 'INBOX unless told. A Sent folder gives what was written elsewhere.',
      editable: true,
    }),
  ),
  auth: Type.Optional(
    Type.Union([Type.Literal('password'), Type.Literal('microsoft'), Type.Literal('google')], {
      when: SERVER,
      title: 'Sign-in',
      description: 'password, or XOAUTH2 with the tokens of Microsoft or Google.',
    }),
  ),
};

const secrets = {
  client_secret: Type.Optional(Type.String({ title: 'Client secret', secret: true, when: OAUTH })),
  refresh_token: Type.Optional(
    Type.String({
      title: 'Refresh token',
      description: 'Left empty, access is granted in the browser after connecting (Gmail, and SMTP with XOAUTH2).',
      secret: true,
      when: { provider: ['google', 'smtp'] },
    }),
  ),
  password: Type.Optional(Type.String({ title: 'SMTP password', secret: true, when: SERVER })),
  imap_password: Type.Optional(
    Type.String({ title: 'IMAP password', description: 'The SMTP password unless told.', secret: true, when: SERVER }),
  ),
};

const dkim = Type.Optional(
  Type.Object(
    {
      domain: Type.String({ title: 'Domain' }),
      selector: Type.String({ title: 'Selector' }),
      private_key: Type.String({ title: 'Private key', description: 'PEM.', multiline: true }),
    },
    { title: 'DKIM key', description: 'Signs what the built-in server sends.', secret: true, when: { provider: ['aurion'] } },
  ),
);

export const MailInput = Type.Object({
  email: Type.String({ title: 'Mail address', examples: ['support@example.com'] }),
  name: Type.Optional(Type.String({ title: 'Name', description: 'Shown to customers as the sender.' })),
  provider: Provider,
  ...common,
  ...microsoft,
  ...google,
  ...server,
  ...secrets,
  dkim,
});
export type MailInput = Static<typeof MailInput>;

export const MailSettings = Type.Object({ provider: Provider, ...common, ...microsoft, ...google, ...server });
export type MailSettings = Static<typeof MailSettings>;

export const MailCredentials = Type.Object({
  ...secrets,
  dkim,
  /** Comes back with every notification of Microsoft; proves that it is about a subscription of ours. */
  client_state: Type.Optional(Type.String({ secret: true })),
});
export type MailCredentials = Static<typeof MailCredentials>;

export type Mailbox = ChannelView<MailSettings, MailCredentials>;

const SETTING_NAMES = Object.keys(MailSettings.properties) as (keyof MailSettings)[];
const CREDENTIAL_NAMES = Object.keys(MailCredentials.properties) as (keyof MailCredentials)[];

/** Sorts a form's fields into what is shown and what is not. */
export function split(input: MailInput): { settings: MailSettings; credentials: MailCredentials } {
  const given = input as Record<string, unknown>;
  const pick = (names: readonly string[]) =>
    Object.fromEntries(names.filter((name) => given[name] !== undefined && given[name] !== '').map((name) => [name, given[name]]));
  return { settings: pick(SETTING_NAMES) as MailSettings, credentials: pick(CREDENTIAL_NAMES) as MailCredentials };
}
