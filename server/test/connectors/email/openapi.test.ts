/**
 * What we ask of Microsoft and Google, and what their stand-ins answer, held against the providers' own OpenAPI
 * documents: a stand-in that is made after our own code would prove nothing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { createGmailSandbox, createMicrosoftSandbox } from '../../../../sandbox/email/index.ts';
import type { HttpClient } from '../../../src/connectors/connector.ts';
import { createEmailConnector } from '../../../src/connectors/email/connector.ts';
import { gmailHook, microsoftHook } from '../../../src/connectors/email/hooks.ts';
import type { Mailbox } from '../../../src/connectors/email/settings.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { nothingKnown } from '../../support/settling.ts';
import { type Listener, listener, mailbox, realHttp, testContext } from './context.ts';
import { hookServer } from './hooks-server.ts';
import { MAILBOX, mail } from './mail.ts';

const evidence = process.env.EVIDENCE_DIR ?? '../shared/evidence';
const graph = join(evidence, 'microsoft/graph-mail.json');
const gmail = join(evidence, 'google/gmail.json');
for (const file of [graph, gmail]) if (!existsSync(file)) console.warn(`SKIPPED: no OpenAPI at ${file}; set EVIDENCE_DIR`);

interface Exchange {
  method: string;
  path: string;
  query: string[];
  type: string;
  request: unknown;
  status: number;
  answer: unknown;
}

type Operation = {
  parameters?: { $ref?: string; name: string; in: string }[];
  requestBody?: { $ref?: string; content?: Record<string, { schema: object }> };
  responses: Record<string, { $ref?: string; content?: Record<string, { schema: object }> }>;
};

interface Document {
  paths: Record<string, Record<string, Operation> & { parameters?: Operation['parameters'] }>;
  components: Record<string, Record<string, object>>;
}

/** Problems of exchanges, by the provider's document; `absent`: operations that its slice does not have. */
function judge(file: string, exchanges: Exchange[], absent: RegExp): string[] {
  const document = JSON.parse(readFileSync(file, 'utf8')) as Document;
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document as object, 'api');
  const resolve = <T extends { $ref?: string }>(value: T): T => {
    const [, , section, name] = value.$ref?.split('/') ?? [];
    return section && name ? (document.components[section]![name] as T) : value;
  };
  const problemsOf = (schema: object, value: unknown): string[] => {
    const linked = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')) as object;
    const validate = ajv.compile(linked);
    return validate(value)
      ? []
      : (validate.errors ?? []).flatMap((error) => (isQuirk(error) ? [] : [`${error.instancePath} ${error.message}`]));
  };
  /** All properties that a schema names, through references and `allOf`. */
  const namesOf = (schema: { $ref?: string; properties?: object; allOf?: object[] }): string[] => {
    const plain = resolve(schema) as { properties?: object; allOf?: object[] };
    return [...Object.keys(plain.properties ?? {}), ...(plain.allOf ?? []).flatMap((part) => namesOf(part))];
  };
  const strangersOf = (schema: object, value: unknown): string[] => {
    // A file attachment is an attachment with more to it, which this slice of the document does not describe.
    const kind = (value as { '@odata.type'?: string } | null)?.['@odata.type']?.slice(1);
    const names = kind ? namesOf(document.components.schemas![kind] ?? {}) : namesOf(schema);
    const given = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    return names.length === 0
      ? []
      : given.filter((name) => !names.includes(name) && !name.startsWith('@odata.')).map((name) => `${name} is not known`);
  };
  const check = (schema: object | undefined, value: unknown) =>
    schema ? [...problemsOf(schema, value), ...strangersOf(schema, value)] : [];

  return exchanges.flatMap((exchange) => {
    const { method, path, query, request, type, status, answer } = exchange;
    const label = `${method} ${path} ${status}:`;
    const template = Object.keys(document.paths).find((candidate) => templateOf(candidate).test(path));
    const operation = template && document.paths[template]![method.toLowerCase()];
    if (!operation) return absent.test(`${method} ${path}`) ? [] : [`${label} there is no such operation`];
    const known = [...(document.paths[template]!.parameters ?? []), ...(operation.parameters ?? [])].map(
      (parameter) => resolve(parameter).name,
    );
    const found = query
      .filter((name) => !known.includes(name) && !KNOWN_PARAMETERS.includes(name))
      .map((name) => `the parameter ${name} is not known`);
    const body = operation.requestBody && resolve(operation.requestBody).content;
    if (type.startsWith('application/json'))
      found.push(...check(body?.['application/json']?.schema, request).map((problem) => `request ${problem}`));
    // Documents name one status of success where the API's pages name another.
    const good = Object.keys(operation.responses).find((known) => known[0] === String(status)[0]);
    const answers = operation.responses[String(status)] ?? operation.responses[good ?? 'default'];
    if (!answers) found.push('the status is not known');
    const content = answers && resolve(answers).content;
    if (typeof answer === 'object' && answer !== null)
      found.push(...check(content?.['application/json']?.schema, answer).map((problem) => `answer ${problem}`));
    return found.map((problem) => `${label} ${problem}`);
  });
}

/** The document wants `@odata.type` in every object; Graph itself neither sends it nor asks for it but where types vary. */
function isQuirk({ keyword, params }: { keyword: string; params: { missingProperty?: string } }): boolean {
  return keyword === 'required' && params.missingProperty === '@odata.type';
}

/** Younger than the document, or part of an address that the provider made. */
const KNOWN_PARAMETERS = ['changeType', '$deltatoken', '$skiptoken'];

/** Matches the addresses of a path; Graph's document writes functions with their namespace. */
function templateOf(path: string): RegExp {
  const plain = path.replace('microsoft.graph.', '').replace('()', '');
  return new RegExp(`^${plain.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, '[^/]+')}$`);
}

/** Notes everything that goes to the API, as it is on the wire. */
function recorder(base: string, root: string): { http: HttpClient; exchanges: Exchange[] } {
  const exchanges: Exchange[] = [];
  return {
    exchanges,
    http: async (url, request = {}) => {
      const answer = await realHttp(url, request);
      const { origin, pathname, searchParams } = new URL(url);
      if (origin !== base || !pathname.startsWith(root)) return answer;
      const headers = new Headers(request.headers);
      const type = headers.get('content-type') ?? '';
      exchanges.push({
        method: request.method ?? 'GET',
        path: decodeURIComponent(pathname).slice(root === '/v1.0' ? root.length : 0),
        query: [...searchParams.keys()],
        type,
        request: type.startsWith('application/json') ? JSON.parse(String(request.body)) : undefined,
        status: answer.status,
        answer: answer.json(),
      });
      return answer;
    },
  };
}

const connector = createEmailConnector();
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(app: FastifyInstance): Promise<string> {
  const base = await app.listen({ port: 0, host: '127.0.0.1' });
  cleanups.push(() => app.close());
  return base;
}

function outgoing(extra: object = {}) {
  return {
    id: uuidv7(),
    to: [{ kind: 'emailaddress', value: 'ann@example.com' }],
    content: { type: 'email' as const, subject: 'Hi', text: 'There', html: '<p>There</p>', ...extra },
  };
}

function listening(channel: Mailbox, context: ReturnType<typeof testContext>): Listener {
  const ear = listener(context);
  const receiving = connector.receive!(channel, ear.context);
  cleanups.push(async () => {
    ear.stop();
    await receiving;
  });
  return ear;
}

describe.skipIf(!existsSync(graph))('Microsoft Graph', () => {
  it('is asked, and answers, as its document says', async () => {
    const sandbox = createMicrosoftSandbox();
    sandbox.addUser(MAILBOX);
    const base = await serve(sandbox.app);
    let channel: Mailbox;
    let ear: Listener | undefined;
    const hooks = await hookServer(
      microsoftHook,
      () => [channel],
      {},
      (reason) => ear?.wake(reason),
    );
    cleanups.push(() => hooks.app.close());
    const { http, exchanges } = recorder(base, '/v1.0');
    const context = testContext({ MICROSOFT_LOGIN_URL: base, MICROSOFT_GRAPH_URL: base, PUBLIC_URL: hooks.base }, http);
    const input = {
      email: MAILBOX,
      provider: 'microsoft',
      client_id: 'sandbox-client',
      tenant_id: 'sandbox-tenant',
      client_secret: 'sandbox-secret',
    };
    const connected = await connector.connect(input, context);
    channel = { ...mailbox(MAILBOX, connected.settings), credentials: connected.credentials };
    ear = listening(channel, context);
    await ear.until(() => ear!.reports.length > 0);
    await sandbox.receive(MAILBOX, mail({}));
    await ear.until(() => ear!.events.length === 1);
    await sandbox.lifecycle('reauthorizationRequired');
    await ear.until(() => exchanges.some(({ method }) => method === 'PATCH'));
    const message = outgoing();
    await connector.send!(message, channel, context);
    await connector.settle!(message, channel, context, nothingKnown);
    context.files.set('big', { data: Buffer.alloc(5_000_000), mimeType: 'application/zip', filename: 'big.zip' });
    context.files.set('small', { data: Buffer.from('x'), mimeType: 'text/plain', filename: 's.txt' });
    await connector.send!(outgoing({ attachments: [{ id: 'big' }, { id: 'small', contentId: 'c1' }] }), channel, context);
    sandbox.faults.add({
      match: `POST /v1.0/users/${MAILBOX}/messages`,
      status: 403,
      body: { error: { code: 'ErrorAccessDenied', message: 'no' } },
    });
    await connector.send!(outgoing(), channel, context);
    await connector.disconnect!(channel, context, { lastOfAccount: true });

    // The document is a slice: single folders and upload sessions are not in it.
    expect(judge(graph, exchanges, /^GET \/users\/[^/]+\/mailFolders\/[^/]+$|createUploadSession|^PUT \/upload\//)).toEqual([]);
    expect(new Set(exchanges.map(({ method }) => method))).toEqual(new Set(['GET', 'POST', 'PATCH', 'PUT', 'DELETE']));
  });
});

describe.skipIf(!existsSync(gmail))('Gmail', () => {
  it('is asked, and answers, as its document says', async () => {
    let channel: Mailbox;
    let ear: Listener | undefined;
    const settings: Record<string, string> = {};
    const hooks = await hookServer(
      gmailHook,
      () => [channel],
      settings,
      (reason) => ear?.wake(reason),
    );
    cleanups.push(() => hooks.app.close());
    const sandbox = await createGmailSandbox({ address: MAILBOX, pushUrl: `${hooks.base}/hooks/gmail` });
    const base = await serve(sandbox.app);
    const { http, exchanges } = recorder(base, '/gmail/v1');
    Object.assign(settings, { GOOGLE_OAUTH_URL: base, GMAIL_API_URL: base, PUBLIC_URL: hooks.base });
    const context = testContext(settings, http);
    const input = {
      email: MAILBOX,
      provider: 'google',
      client_id: 'sandbox-client',
      client_secret: 'sandbox-secret',
      refresh_token: 'sandbox-refresh',
    };
    const connected = await connector.connect({ ...input, topic: 'projects/p/topics/t' }, context);
    channel = { ...mailbox(MAILBOX, connected.settings), credentials: connected.credentials };
    ear = listening(channel, context);
    await ear.until(() => ear!.reports.length > 0);
    await sandbox.receive(mail({}));
    await ear.until(() => ear!.events.length === 1);
    sandbox.loseHistory();
    await sandbox.receive(mail({ 'Message-ID': '<after@example.com>' }));
    ear.wake();
    await ear.until(() => exchanges.some(({ path, status }) => path.endsWith('/history') && status === 404));
    await ear.until(() => exchanges.some(({ path, query }) => path.endsWith('/messages') && query.includes('q')));
    const message = outgoing();
    await connector.send!(message, channel, context);
    await connector.settle!(message, channel, context, nothingKnown);
    await connector.disconnect!(channel, context, { lastOfAccount: true });
    expect(
      judge(
        gmail,
        exchanges.filter(({ status }) => status < 400),
        /^$/,
      ),
    ).toEqual([]);
    expect(exchanges.map(({ path }) => path.split('/').at(-1))).toEqual(
      expect.arrayContaining(['profile', 'watch', 'history', 'send', 'stop']),
    );
  });
});
