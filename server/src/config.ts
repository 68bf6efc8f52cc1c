import { resolve } from 'node:path';
import {
  apiKey,
  type Check,
  flag,
  host,
  httpUrl,
  integer,
  line,
  oneOf,
  origins,
  postgresUrl,
  secretBytes,
  serviceAccount,
  smtpUrl,
  Unfit,
  uuid,
} from './config-checks.ts';
import type { ProviderConfig } from './connectors/connector.ts';
import { PatchbayError } from './model/errors.ts';
import { StartError } from './start-error.ts';

/** One environment variable: the help, the checks and the docs are made from this. */
export interface ConfigVariable {
  name: string;
  /** The value when unset; undefined: there is none. */
  default?: string;
  /** What stands in the help where `default` says too little. */
  defaultMeans?: string;
  meaning: string;
  check: Check<unknown>;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const CONFIG_VARIABLES: ConfigVariable[] = [
  { name: 'PORT', default: '3000', meaning: 'port of the HTTP server', check: integer(1, 65_535) },
  { name: 'HOST', default: '127.0.0.1', meaning: 'address that the HTTP server listens on; 0.0.0.0 in a container', check: host },
  {
    name: 'PUBLIC_URL',
    defaultMeans: 'http://localhost:$PORT',
    meaning: 'address that providers and browsers use; webhook addresses and signatures are built from it',
    check: httpUrl,
  },
  { name: 'DATA_DIR', default: './data', meaning: 'the embedded database, stored media, the generated secret', check: line },
  {
    name: 'DATABASE_URL',
    defaultMeans: 'embedded PostgreSQL in DATA_DIR',
    meaning: 'any PostgreSQL 15 or newer (postgresql://…)',
    check: postgresUrl,
  },
  {
    name: 'PATCHBAY_API_KEY',
    defaultMeans: 'generated and printed once',
    meaning: 'a key with every scope for the default workspace (ak_live_… or ak_test_…)',
    check: apiKey,
  },
  { name: 'PATCHBAY_WORKSPACE_ID', defaultMeans: 'generated', meaning: "the default workspace's UUID", check: uuid },
  {
    name: 'PATCHBAY_SECRET',
    defaultMeans: 'generated into DATA_DIR',
    meaning: '32 bytes in base64: encrypts provider credentials at rest',
    check: secretBytes,
  },
  {
    name: 'PATCHBAY_SECRET_PREVIOUS',
    meaning: 'the secret before this one: still opens what it encrypted, which is encrypted anew in the background',
    check: secretBytes,
  },
  {
    name: 'ALLOWED_ORIGINS',
    defaultMeans: 'none',
    meaning: 'origins of other web clients that may call with credentials (CORS), separated by commas',
    check: origins,
  },
  {
    name: 'ALLOW_PRIVATE_NETWORK',
    default: '0',
    meaning: '1 lets outgoing requests reach loopback and private addresses',
    check: flag,
  },
  { name: 'LOG_LEVEL', default: 'info', meaning: `least level that is logged: ${LOG_LEVELS.join(', ')}`, check: oneOf(...LOG_LEVELS) },
  { name: 'META_GRAPH_URL', default: 'https://graph.facebook.com', meaning: 'base of every Graph API call', check: httpUrl },
  { name: 'META_APP_ID', meaning: 'the Meta app', check: line },
  { name: 'META_APP_SECRET', meaning: "the Meta app's secret: token exchange, webhook signatures", check: line },
  {
    name: 'META_INSTAGRAM_URL',
    default: 'https://graph.instagram.com',
    meaning: 'base of the calls for Instagram accounts with a token of their own',
    check: httpUrl,
  },
  { name: 'META_INSTAGRAM_APP_SECRET', meaning: "the Instagram app's secret: signs the webhooks of Instagram Login", check: line },
  { name: 'META_VERIFY_TOKEN', meaning: "the word of the webhook's handshake", check: line },
  { name: 'TWILIO_API_URL', default: 'https://api.twilio.com', meaning: 'base of every Twilio REST call', check: httpUrl },
  { name: 'TWILIO_ACCOUNT_SID', meaning: 'the Twilio account', check: line },
  { name: 'TWILIO_AUTH_TOKEN', meaning: "the Twilio account's token, also for webhook signatures", check: line },
  {
    name: 'GOOGLE_BUSINESS_MESSAGES_URL',
    defaultMeans: "Google's own",
    meaning: 'base of the Business Messages API',
    check: httpUrl,
  },
  { name: 'GOOGLE_RCS_URL', defaultMeans: "Google's own", meaning: 'base of the RCS for Business API', check: httpUrl },
  { name: 'GOOGLE_SERVICE_ACCOUNT', meaning: "the service account's JSON, or a path to it", check: serviceAccount },
  { name: 'GOOGLE_PARTNER_KEY', meaning: 'checks X-Goog-Signature', check: line },
  { name: 'GOOGLE_OAUTH_URL', defaultMeans: "Google's own", meaning: "base of Google's sign-in", check: httpUrl },
  { name: 'GMAIL_API_URL', defaultMeans: "Google's own", meaning: 'base of the Gmail API', check: httpUrl },
  { name: 'GOOGLE_CLIENT_ID', meaning: 'the OAuth client for Gmail mailboxes', check: line },
  { name: 'GOOGLE_CLIENT_SECRET', meaning: "the OAuth client's secret", check: line },
  { name: 'MICROSOFT_LOGIN_URL', defaultMeans: "Microsoft's own", meaning: "base of Microsoft's sign-in", check: httpUrl },
  { name: 'MICROSOFT_GRAPH_URL', defaultMeans: "Microsoft's own", meaning: 'base of the Microsoft Graph API', check: httpUrl },
  { name: 'MICROSOFT_CLIENT_SECRET', meaning: "the Azure app's secret where a channel brings none of its own", check: line },
  {
    name: 'SMTP_INBOUND_PORT',
    default: '2525',
    meaning: 'port of the built-in mail server for inbound mail; 0 turns it off',
    check: integer(0, 65_535),
  },
  {
    name: 'SMTP_RELAY_URL',
    defaultMeans: 'straight to MX',
    meaning: 'where the built-in provider hands its outbound mail (smtp://user:pass@host:port)',
    check: smtpUrl,
  },
];

export interface Config {
  host: string;
  port: number;
  publicUrl: string;
  /** Absolute. */
  dataDir: string;
  databaseUrl: string | undefined;
  apiKey: string | undefined;
  workspaceId: string | undefined;
  /** PATCHBAY_SECRET as given; `loadSecret` gives the one in the data folder. */
  secret: Buffer | undefined;
  /** PATCHBAY_SECRET_PREVIOUS: opens, never seals. */
  previousSecret: Buffer | undefined;
  allowedOrigins: string[];
  allowPrivateNetwork: boolean;
  logLevel: LogLevel;
  smtpInboundPort: number;
  /** Somebody chose it, rather than the default. */
  smtpInboundPortGiven: boolean;
  /** What connectors may read: checked, with defaults where there are any. */
  providers: ProviderConfig;
}

/** Settings that are none of the connectors' business. */
const NOT_FOR_CONNECTORS = new Set(['DATABASE_URL', 'PATCHBAY_API_KEY', 'PATCHBAY_SECRET', 'PATCHBAY_SECRET_PREVIOUS']);

/** Checks the environment. Throws `StartError` with one line that names the first variable that is wrong. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const values = new Map<string, unknown>();
  const texts = new Map<string, string>();
  for (const variable of CONFIG_VARIABLES) {
    // An empty variable is how compose files and shells write "unset".
    const text = env[variable.name]?.trim() || variable.default;
    if (text === undefined) continue;
    values.set(variable.name, checked(variable, text));
    texts.set(variable.name, text);
  }
  const value = <T>(name: string) => values.get(name) as T;
  const port = value<number>('PORT');
  const publicUrl = value<string | undefined>('PUBLIC_URL') ?? `http://localhost:${port}`;
  const get = (name: string) => {
    if (NOT_FOR_CONNECTORS.has(name)) return undefined;
    const known = values.get(name);
    return typeof known === 'string' ? known : texts.get(name);
  };
  return {
    host: value('HOST'),
    port,
    publicUrl,
    dataDir: resolve(value<string>('DATA_DIR')),
    databaseUrl: value('DATABASE_URL'),
    apiKey: value('PATCHBAY_API_KEY'),
    workspaceId: value('PATCHBAY_WORKSPACE_ID'),
    secret: value('PATCHBAY_SECRET'),
    previousSecret: value('PATCHBAY_SECRET_PREVIOUS'),
    allowedOrigins: value<string[] | undefined>('ALLOWED_ORIGINS') ?? [],
    allowPrivateNetwork: value('ALLOW_PRIVATE_NETWORK'),
    logLevel: value('LOG_LEVEL'),
    smtpInboundPort: value('SMTP_INBOUND_PORT'),
    smtpInboundPortGiven: Boolean(env.SMTP_INBOUND_PORT?.trim()),
    providers: {
      publicUrl,
      get,
      require: (name) => {
        const text = get(name);
        if (text !== undefined) return text;
        throw new PatchbayError('setting-missing', `${name} is not set: start Patchbay with this environment variable`, {
          details: { variable: name },
        });
      },
    },
  };
}

function checked(variable: ConfigVariable, text: string): unknown {
  try {
    return variable.check(text);
  } catch (error) {
    if (error instanceof Unfit) throw new StartError(`${variable.name} ${error.message}`);
    throw error;
  }
}

/** What `npm start -- --help` prints. */
export function helpText(): string {
  const width = Math.max(...CONFIG_VARIABLES.map((variable) => variable.name.length));
  const rows = CONFIG_VARIABLES.map(({ name, meaning, defaultMeans, default: fallback }) => {
    return `  ${name.padEnd(width)}  ${meaning}\n  ${' '.repeat(width)}  default: ${defaultMeans ?? fallback ?? 'unset'}`;
  });
  return [
    'Patchbay: one self-hosted service for every channel a business talks to its customers through.',
    '',
    'Usage: npm start [-- --help]',
    '',
    'Environment variables, all optional:',
    ...rows,
    '',
  ].join('\n');
}
