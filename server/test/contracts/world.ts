/** The service on a real port, with stand-ins for Meta, Twilio and Google on theirs: what an outside client meets. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { createGoogleSandbox, type GoogleSandbox } from '../../../sandbox/google/index.ts';
import { createMetaSandbox, type MetaSandbox } from '../../../sandbox/meta/index.ts';
import { createTwilioSandbox, type TwilioSandbox } from '../../../sandbox/twilio/index.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { whenFileEnds } from '../support/cleanup.ts';
import { freePort } from '../support/until.ts';

export const META = { appId: '1000000000000001', appSecret: 'meta-app-secret', verifyToken: 'meta-verify-token' };
export const TWILIO = { accountSid: `AC${'a'.repeat(32)}`, authToken: 'twilio-auth-token' };
export const PARTNER_KEY = 'google-partner-key';

/** One call to a provider, as its stand-in saw it. */
export interface ProviderCall {
  method: string;
  url: string;
  body: unknown;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json: any;
}

export interface Client {
  workspaceId: string;
  key: string;
  /** A call of the Airy surface. */
  airy(name: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Any other call; `path` starts with `/`. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The same, below this client's workspace. */
  workspace(method: string, path: string, body?: unknown): Promise<Answer>;
}

export interface World {
  url: string;
  test: TestApp;
  meta: MetaSandbox;
  metaCalls: ProviderCall[];
  /** Told of every call to Meta before it is answered. */
  onMetaCall: ((call: ProviderCall) => void) | undefined;
  twilio: TwilioSandbox;
  twilioCalls: ProviderCall[];
  google: GoogleSandbox;
  client(scopes?: string[]): Promise<Client>;
  /** A request without any key of ours. */
  raw(method: string, path: string, options?: { headers?: Record<string, string>; body?: string }): Promise<Answer>;
}

/** The tokens that the stand-in for Meta knows; `page-…` and `user-…` ones reach everything. */
export const TOKENS = ['user-token', 'user-token-2'];

/** Starts everything; ended with the test file. `env` is laid over the settings. */
export async function startWorld(env: Record<string, string> = {}): Promise<World> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const meta = createMetaSandbox({
    ...META,
    webhook: `${url}/hooks/meta`,
    tokens: TOKENS.map((value) => ({ value })),
    pages: [
      { id: '1101', name: 'my page 1', instagram: { id: '1701', username: 'mypage', name: 'My Page on Instagram' } },
      { id: '1102', name: 'my page 2' },
      { id: '1103', name: 'my page 3', instagram: { id: '1703', username: 'mypage3', name: 'My third page' } },
    ],
    wabas: [
      {
        id: '987654321',
        numbers: [
          { id: '123456789', display_phone_number: '+33 6 12 34 56 78', verified_name: 'Example SARL' },
          { id: '1234567', display_phone_number: '+1 555-078-3881' },
        ],
      },
      { id: '555000111', numbers: [{ id: '777000111', display_phone_number: '+49 151 23456789' }] },
    ],
  });
  const twilio = createTwilioSandbox({
    ...TWILIO,
    numbers: ['+491234567', '+4915123450001', { phoneNumber: '+4915123450002', mms: false, voice: false }],
    senders: ['+491234567', '+4915123450001'],
  });
  const google = createGoogleSandbox({ webhookUrl: `${url}/hooks/google`, partnerKey: PARTNER_KEY });
  const metaCalls = watched(meta.app, (call) => world.onMetaCall?.(call));
  const twilioCalls = watched(twilio.app);
  const [metaUrl, twilioUrl, googleUrl] = await Promise.all([listen(meta.app), listen(twilio.app), listen(google.app)]);
  meta.state.callbackUrl = `${url}/hooks/meta`;
  const test = await testApp({
    PUBLIC_URL: url,
    ALLOW_PRIVATE_NETWORK: '1',
    META_GRAPH_URL: metaUrl,
    META_APP_ID: META.appId,
    META_APP_SECRET: META.appSecret,
    META_VERIFY_TOKEN: META.verifyToken,
    TWILIO_API_URL: twilioUrl,
    TWILIO_ACCOUNT_SID: TWILIO.accountSid,
    TWILIO_AUTH_TOKEN: TWILIO.authToken,
    GOOGLE_BUSINESS_MESSAGES_URL: googleUrl,
    GOOGLE_RCS_URL: googleUrl,
    GOOGLE_PARTNER_KEY: PARTNER_KEY,
    GOOGLE_SERVICE_ACCOUNT: google.serviceAccount(googleUrl),
    ...env,
  });
  await test.app.listen({ port, host: '127.0.0.1' });

  const raw: World['raw'] = async (method, path, { headers = {}, body } = {}) => {
    const response = await fetch(path.startsWith('http') ? path : url + path, {
      method,
      headers,
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: jsonOf(text) };
  };
  const world: World = {
    url,
    test,
    meta,
    metaCalls,
    onMetaCall: undefined,
    twilio,
    twilioCalls,
    google,
    raw,
    async client(scopes) {
      const { id, key } = await test.workspace(scopes);
      const call: Client['call'] = (method, path, body, headers = {}) =>
        raw(method, path, {
          headers: { 'x-api-key': key, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
      return {
        workspaceId: id,
        key,
        call,
        airy: (name, body, headers) => call('POST', `/${name}`, body, headers),
        workspace: (method, path, body) => call(method, `/workspaces/${id}${path}`, body),
      };
    },
  };
  return world;
}

function watched(app: FastifyInstance, tell?: (call: ProviderCall) => void): ProviderCall[] {
  const calls: ProviderCall[] = [];
  app.addHook('preValidation', async ({ method, url, body }) => {
    calls.push({ method, url, body });
    tell?.({ method, url, body });
  });
  return calls;
}

async function listen(app: FastifyInstance): Promise<string> {
  await app.listen({ port: 0, host: '127.0.0.1' });
  whenFileEnds(() => app.close());
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
