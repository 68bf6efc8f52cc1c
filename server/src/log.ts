import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from './config.ts';
import { PatchbayError } from './model/errors.ts';

export type { Logger } from 'pino';

const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'access_token',
  'refresh_token',
  'api_key',
  'apiKey',
  'credentials',
  'client_secret',
];

/**
 * An error as the log shows it. An answer that the service gives on purpose (something is invalid, not found …) comes
 * without its stack: that says nothing to whoever reads the log, and hides what does.
 */
export function errorForLog(error: Error): unknown {
  const shown = pino.stdSerializers.err(error);
  if (!(error instanceof PatchbayError) || error.cause !== undefined) return shown;
  const { stack: _, ...words } = shown;
  return words;
}

/** The log of the whole process, to stderr: JSON lines, or readable ones on a terminal. Fields that hold secrets are hidden. */
export function createLogger(level: LogLevel): Logger {
  const options = {
    level,
    base: undefined,
    serializers: { err: errorForLog },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]).concat(
        '*.headers["x-api-key"]',
        'headers["x-api-key"]',
      ),
      censor: '[hidden]',
    },
  };
  if (process.stderr.isTTY) return pino(options, pretty({ destination: 2, sync: true, ignore: 'hostname,pid' }));
  return pino(options, pino.destination({ dest: 2, sync: true }));
}
