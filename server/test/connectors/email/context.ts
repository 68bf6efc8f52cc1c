/** What the engine gives a connector, made small: real HTTP, memory for memos and cursors. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ConnectorContext, HealthReport, HttpClient, RawEvent } from '../../../src/connectors/connector.ts';
import type { Listening } from '../../../src/connectors/email/kind.ts';
import type { Mailbox, MailCredentials, MailSettings } from '../../../src/connectors/email/settings.ts';
import { DiskSpool } from '../../../src/engine/spool.ts';
import { PatchbayError, ProviderError } from '../../../src/model/errors.ts';
import { whenFileEnds } from '../../support/cleanup.ts';

/** A spool in a folder of its own, which goes when the test file ends. */
export function testSpool(): DiskSpool & { folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-spool-'));
  whenFileEnds(() => rmSync(folder, { recursive: true, force: true }));
  return Object.assign(new DiskSpool(folder), { folder });
}

export const realHttp: HttpClient = async (url, request = {}) => {
  let answer: Response;
  try {
    answer = await fetch(url, {
      method: request.method ?? 'GET',
      ...(request.headers ? { headers: request.headers } : {}),
      ...(request.body === undefined ? {} : { body: request.body as BodyInit }),
      redirect: 'manual',
    });
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    throw new ProviderError(code === 'ECONNREFUSED' ? 'retry' : 'unknown-outcome', `no answer from ${url}`, { cause: error });
  }
  const whole = Buffer.from(await answer.arrayBuffer());
  if (request.into && answer.ok) await request.into(inPieces(whole));
  const body = request.into && answer.ok ? Buffer.alloc(0) : whole;
  return {
    status: answer.status,
    headers: answer.headers,
    body,
    text: () => body.toString(),
    json: () => {
      try {
        return JSON.parse(body.toString());
      } catch {
        return undefined;
      }
    },
  };
};

async function* inPieces(whole: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < whole.length; at += 65_536) yield whole.subarray(at, at + 65_536);
}

export interface TestContext extends ConnectorContext {
  memos: Map<string, unknown>;
  files: Map<string, { data: Buffer; mimeType: string; filename?: string }>;
}

export function testContext(settings: Record<string, string> = {}, http: HttpClient = realHttp): TestContext {
  const memos = new Map<string, unknown>();
  const files: TestContext['files'] = new Map();
  return {
    http,
    config: {
      publicUrl: settings.PUBLIC_URL ?? 'https://patchbay.example',
      get: (name) => settings[name],
      require: (name) => {
        const value = settings[name];
        if (value === undefined) throw new PatchbayError('setting-missing', `${name} is not set`, { details: { setting: name } });
        return value;
      },
    },
    now: () => new Date(),
    log: { info: () => undefined, warn: () => undefined },
    openMedia: async (id) => files.get(id),
    mediaUrl: (id) => `https://patchbay.example/media/${id}`,
    memo: {
      get: async (key) => memos.get(key),
      claim: async (key) => !memos.has(key) && Boolean(memos.set(key, true)),
      drop: async (key) => void memos.delete(key),
      set: async (key, value) => {
        memos.set(key, structuredClone(value));
      },
    },
    memos,
    files,
  };
}

export function mailbox(address: string, settings: MailSettings, credentials: MailCredentials = {}): Mailbox {
  return { id: 'c1', workspaceId: 'w1', sourceChannelId: address, name: 'Support', sandbox: false, settings, credentials, details: {} };
}

export interface Listener {
  context: Listening;
  events: RawEvent[];
  reports: HealthReport[];
  cursor: { value: unknown };
  wake(reason?: string): void;
  stop(): void;
  /** Resolves once the condition holds; looked at whenever something happens. */
  until(condition: () => boolean): Promise<void>;
}

/** A receiving context whose waits end when woken, at once for short pauses. */
export function listener(base: ConnectorContext, cursor: { value: unknown } = { value: undefined }): Listener {
  const events: RawEvent[] = [];
  const reports: HealthReport[] = [];
  const stopper = new AbortController();
  let waiting: ((reasons: string[]) => void) | undefined;
  const pending: string[] = [];
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const watcher of watchers) watcher();
  };
  const wake = (reason = 'change') => {
    pending.push(reason);
    if (!waiting) return;
    const done = waiting;
    waiting = undefined;
    done(pending.splice(0));
  };
  stopper.signal.addEventListener('abort', () => waiting?.([]));
  return {
    events,
    reports,
    cursor,
    wake,
    stop: () => stopper.abort(),
    until: (condition) =>
      new Promise((done) => {
        const look = () => {
          if (!condition()) return;
          watchers.delete(look);
          done();
        };
        watchers.add(look);
        look();
      }),
    context: {
      ...base,
      signal: stopper.signal,
      spool: testSpool(),
      cursor: {
        load: async () => structuredClone(cursor.value),
        save: async (value) => {
          if (!isDeepStrictEqual(cursor.value, value)) cursor.value = structuredClone(value);
          changed();
        },
      },
      deliver: async (delivered) => {
        events.push(...delivered);
        changed();
      },
      report: async (report) => {
        reports.push(report);
        changed();
      },
      wait: (ms) =>
        new Promise((done) => {
          if (pending.length > 0 || stopper.signal.aborted) return done(pending.splice(0));
          waiting = done;
          // Pauses for backing off are real; waits for something new end by a wake alone.
          if (ms < 30_000)
            setTimeout(() => {
              if (waiting === done) waiting = undefined;
              done([]);
            }, ms);
          changed();
        }),
    },
  };
}
