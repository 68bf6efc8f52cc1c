/** Sending through somebody's SMTP server (submission, RFC 6409): one connection a mail, every refusal classed. */
import { Readable } from 'node:stream';
import { createTransport } from 'nodemailer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type SMTPTransport from 'nodemailer/lib/smtp-transport';
import XOAuth2 from 'nodemailer/lib/xoauth2';
import { ProviderError } from '../../model/errors.ts';
import type { ConnectorContext } from '../connector.ts';
import { reach, resolve, StepError, words } from './steps.ts';

const PIECE = 64 * 1024;

export interface SmtpAccess {
  host: string;
  port: number;
  /** TLS is required: from the start on port 465, by STARTTLS elsewhere. */
  tls: boolean;
  /** TLS from the start on another port than 465. */
  implicitTls?: boolean;
  user?: string | undefined;
  password?: string | undefined;
  /** XOAUTH2 in place of the password. */
  accessToken?: string | undefined;
  /** Our name in EHLO. */
  name?: string | undefined;
}

export interface SmtpAnswer {
  accepted: string[];
  /** `later`: only for now. */
  rejected: { address: string; code?: string; message: string; later?: true }[];
  response: string;
}

/** Signs in and signs off. Throws `StepError` naming the step. */
export async function testSmtp(access: SmtpAccess, context: ConnectorContext): Promise<void> {
  const server = `SMTP ${access.host}:${access.port}`;
  const address = await reach(access.host, access.port, 'SMTP', context);
  const transport = createTransport(optionsOf(access, address));
  try {
    await transport.verify();
  } catch (error) {
    const { code, responseCode } = error as SMTPConnection.SMTPError;
    const refused = code === 'EAUTH' && responseCode !== undefined && responseCode >= 500;
    const step =
      code === 'EAUTH' || code === 'ENOAUTH' ? 'login' : code === 'ETLS' || code === 'ESOCKET' ? 'tls' : code === 'EDNS' ? 'dns' : 'smtp';
    throw new StepError(step, server, words(error), { refused, cause: error });
  } finally {
    transport.close();
  }
}

/** Hands a mail over. Throws `ProviderError`: 4xx is `retry`, 5xx is final, no answer after the last byte is unknown. */
export async function sendSmtp(
  access: SmtpAccess,
  envelope: { from: string; to: string[] },
  raw: Buffer,
  context: ConnectorContext,
): Promise<SmtpAnswer> {
  const server = `SMTP ${access.host}:${access.port}`;
  const address = await resolve(access.host, server, context).catch((error: StepError) => {
    throw error.asProviderError();
  });
  const connection = new SMTPConnection(optionsOf(access, address));
  const body = Readable.from(pieces(raw));
  let handedOver = false;
  body.once('end', () => {
    handedOver = true;
  });
  try {
    const answer = await converse(connection, access, envelope, body);
    connection.quit();
    return {
      accepted: answer.accepted.map(String),
      rejected: (answer.rejectedErrors ?? []).map((error) => ({
        address: (error as SMTPConnection.SMTPError & { recipient?: string }).recipient ?? '',
        ...codeOf(error),
        message: error.message,
        ...((error as SMTPConnection.SMTPError).responseCode! < 500 ? { later: true as const } : {}),
      })),
      response: answer.response,
    };
  } catch (error) {
    connection.close();
    throw classed(error as SMTPConnection.SMTPError, server, handedOver);
  }
}

/** A mail piece by piece: in one, it would be copied whole on its way to the socket. */
function* pieces(raw: Buffer): Generator<Buffer> {
  for (let at = 0; at < raw.length; at += PIECE) yield raw.subarray(at, at + PIECE);
}

/** The whole conversation; the first failure, also one between commands, ends it. */
function converse(
  connection: SMTPConnection,
  access: SmtpAccess,
  envelope: { from: string; to: string[] },
  body: Readable,
): Promise<SMTPConnection.SentMessageInfo> {
  return new Promise((done, fail) => {
    connection.once('error', fail);
    connection.once('end', () => fail(new Error('the server closed the connection')));
    const send = () => connection.send(envelope, body, (error, info) => (error ? fail(error) : done(info)));
    connection.connect((error) => {
      if (error) return fail(error);
      // A server that knows no sign-in lets one send without; asked all the same, it would refuse the command.
      if (!access.user || !(connection as unknown as { allowsAuth: boolean }).allowsAuth) return send();
      connection.login(loginOf(access), (refusal) => (refusal ? fail(refusal) : send()));
    });
  });
}

function loginOf(access: SmtpAccess): Parameters<SMTPConnection['login']>[0] {
  const user = access.user ?? '';
  if (access.accessToken === undefined) return { credentials: { user, pass: access.password ?? '' } };
  return { user, oauth2: new XOAuth2({ user, accessToken: access.accessToken }) } as unknown as SMTPConnection.AuthenticationOAuth2;
}

function optionsOf(access: SmtpAccess, address: string): SMTPTransport.Options {
  const secure = access.implicitTls ?? (access.tls && access.port === 465);
  return {
    host: address,
    port: access.port,
    secure,
    requireTLS: access.tls && !secure,
    ignoreTLS: false,
    ...(access.name ? { name: access.name } : {}),
    ...(access.accessToken
      ? { auth: { type: 'OAuth2' as const, user: access.user ?? '', accessToken: access.accessToken } }
      : access.user
        ? { auth: { user: access.user, pass: access.password ?? '' } }
        : {}),
    // Without required encryption a certificate that nobody vouches for is still better than none.
    tls: { servername: /^[\d.]+$|:/.test(access.host) ? undefined : access.host, rejectUnauthorized: access.tls },
    connectionTimeout: 15_000,
    greetingTimeout: 15_000,
    socketTimeout: 120_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function codeOf(error: SMTPConnection.SMTPError): { code?: string } {
  const enhanced = /\b([245]\.\d{1,3}\.\d{1,3})\b/.exec(error.response ?? '')?.[1];
  const code = enhanced ?? (error.responseCode ? String(error.responseCode) : undefined);
  return code ? { code } : {};
}

/** RFC 5321 and RFC 3463 codes → our classes. */
export function classed(error: SMTPConnection.SMTPError, server: string, handedOver = false): ProviderError {
  const { code } = codeOf(error);
  const status = error.responseCode;
  const message = error.response || words(error);
  const details = { ...(code ? { code } : {}), ...(status ? { status } : {}), cause: error };
  if (error.code === 'EAUTH' || error.code === 'ENOAUTH') {
    const refused = status !== undefined && status >= 500;
    return new ProviderError(refused ? 'unauthorized' : 'retry', `${server}: ${message}`, {
      ...details,
      scope: 'channel',
      hint: 'Check the user name and password of the mailbox.',
    });
  }
  if (status === undefined) return withoutAnswer(error, server, handedOver, details);
  if (status < 500) {
    const slow = code === '4.7.0' || code === '4.7.28' || code === '4.2.1' || status === 421;
    return new ProviderError(slow ? 'rate-limited' : 'retry', message, { ...details, retryAfterMs: slow ? 300_000 : 60_000 });
  }
  if (code?.startsWith('5.1') || code?.startsWith('5.2') || (status === 550 && !code?.startsWith('5.7'))) {
    return new ProviderError('recipient-unreachable', message, { ...details, scope: 'recipient' });
  }
  if (status === 530 || status === 535) return new ProviderError('unauthorized', message, { ...details, scope: 'channel' });
  return new ProviderError('rejected', message, details);
}

/** No answer: only a connection that broke after the mail was handed over leaves its outcome open. */
function withoutAnswer(error: SMTPConnection.SMTPError, server: string, handedOver: boolean, details: object): ProviderError {
  if (handedOver) {
    return new ProviderError('unknown-outcome', `${server}: the connection ended before the mail was confirmed (${words(error)})`, details);
  }
  if (error.code === 'EENVELOPE' || error.code === 'EMESSAGE') return new ProviderError('rejected', words(error), details);
  return new ProviderError('retry', `${server}: ${words(error)}`, details);
}
