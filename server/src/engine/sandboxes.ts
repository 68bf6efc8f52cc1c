/**
 * The stand-ins that answer channels made with test keys, in this process: no provider is ever called. Each workspace has
 * its own. They are loaded when the first such channel is used, and keep nothing: what a channel needs of them is made
 * anew from the channel itself.
 */
import { generateKeyPairSync } from 'node:crypto';
import type { Logger } from 'pino';
import type { ChannelView, HookReply, HookRequest, HttpClient, ProviderConfig, ProviderTemplate } from '../connectors/connector.ts';
import { PatchbayError } from '../model/errors.ts';
import type { CustomerMessage, StandIns } from './stand-ins.ts';

export const SANDBOX_URLS = {
  meta: 'http://graph.sandbox.invalid',
  twilio: 'http://twilio.sandbox.invalid',
  google: 'http://google.sandbox.invalid',
};

/** Nobody outside can use these: calls signed with them are taken from the stand-ins alone. */
const SETTINGS: Record<string, string> = {
  META_GRAPH_URL: SANDBOX_URLS.meta,
  META_INSTAGRAM_URL: SANDBOX_URLS.meta,
  META_INSTAGRAM_APP_SECRET: 'sandbox-app-secret',
  META_APP_ID: '1000000000000001',
  META_APP_SECRET: 'sandbox-app-secret',
  META_VERIFY_TOKEN: 'sandbox-verify-token',
  TWILIO_API_URL: SANDBOX_URLS.twilio,
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'sandbox-auth-token',
  GOOGLE_BUSINESS_MESSAGES_URL: SANDBOX_URLS.google,
  GOOGLE_RCS_URL: SANDBOX_URLS.google,
  GOOGLE_PARTNER_KEY: 'sandbox-partner-key',
};

/** Sources whose calls a stand-in answers, or that call nobody. Of all others a sandbox channel only pretends to send. */
const ANSWERED = /^(whatsapp|facebook|instagram|twilio\..+|google|rcs|chatplugin)$/;

/** True where a sandbox channel of this source is not answered by anybody: what it sends counts as sent. */
export function onlyPretends(channel: { sandbox: boolean; source: string }): boolean {
  return channel.sandbox && !ANSWERED.test(channel.source);
}

export interface SandboxesOptions {
  /** The installation's own settings; what is about no provider counts here too. */
  config: ProviderConfig;
  /** The channel as it is stored. */
  channel(workspaceId: string, channelId: string): Promise<{ source: string; view: ChannelView }>;
  /** Templates that the channel's account had, so that a restart does not lose them. */
  templates(workspaceId: string, source: string, account: string): Promise<ProviderTemplate[]>;
  /** A webhook of a stand-in comes in. */
  take(workspaceId: string, call: HookRequest): Promise<HookReply>;
  log: Logger;
}

export class Sandboxes {
  readonly #options: SandboxesOptions;
  readonly #standIns = new Map<string, Promise<StandIns>>();
  readonly config: ProviderConfig;

  constructor(options: SandboxesOptions) {
    this.#options = options;
    const { config } = options;
    const get = (name: string) => {
      if (name === 'GOOGLE_SERVICE_ACCOUNT') return this.#serviceAccount();
      return SETTINGS[name] ?? (/^(META|TWILIO|GOOGLE|GMAIL|MICROSOFT)_/.test(name) ? undefined : config.get(name));
    };
    this.config = {
      publicUrl: config.publicUrl,
      get,
      require: (name) => {
        const value = get(name);
        if (value !== undefined) return value;
        throw new PatchbayError('setting-missing', `${name} is not set for sandbox channels`, { details: { variable: name } });
      },
    };
  }

  #keys: { publicKey: string; privateKey: string } | undefined;

  /** Made when first asked for, since it takes a moment. */
  #googleKeys(): { publicKey: string; privateKey: string } {
    this.#keys ??= generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    return this.#keys;
  }

  #serviceAccount(): string {
    return JSON.stringify({
      type: 'service_account',
      client_email: 'patchbay@sandbox.iam.gserviceaccount.com',
      private_key: this.#googleKeys().privateKey,
      private_key_id: 'k1',
      token_uri: `${SANDBOX_URLS.google}/token`,
    });
  }

  /** The way out of one channel, or of one that is just being connected. */
  http(channel: { workspaceId: string; channelId: string | null }): HttpClient {
    return async (url, request) => {
      const standIns = await this.#of(channel.workspaceId);
      if (channel.channelId) await this.#settle(standIns, channel.workspaceId, channel.channelId);
      return standIns.http(url, request);
    };
  }

  /** Makes the account that is about to be connected exist. */
  async prepare(workspaceId: string, source: string, input: Record<string, unknown>): Promise<void> {
    const standIns = await this.#of(workspaceId);
    standIns.prepare(source, input);
  }

  /** Somebody writes to the channel; resolves when their message has come in. Gives the provider's id of it. */
  async customerWrites(workspaceId: string, channelId: string, message: CustomerMessage): Promise<string> {
    const standIns = await this.#of(workspaceId);
    const { source, view } = await this.#options.channel(workspaceId, channelId);
    await this.#settle(standIns, workspaceId, channelId);
    return standIns.customerWrites(source, view, message);
  }

  /** The stand-ins of a workspace, for tests and demos that want something to go wrong. */
  standIns(workspaceId: string): Promise<StandIns> {
    return this.#of(workspaceId);
  }

  async close(): Promise<void> {
    for (const standIns of this.#standIns.values()) await (await standIns).close();
    this.#standIns.clear();
  }

  #of(workspaceId: string): Promise<StandIns> {
    let standIns = this.#standIns.get(workspaceId);
    if (!standIns) {
      standIns = this.#load(workspaceId);
      standIns.catch(() => this.#standIns.delete(workspaceId));
      this.#standIns.set(workspaceId, standIns);
    }
    return standIns;
  }

  async #load(workspaceId: string): Promise<StandIns> {
    const { createStandIns } = await import('./stand-ins.ts');
    return createStandIns({
      config: this.config,
      urls: SANDBOX_URLS,
      googleKeys: () => this.#googleKeys(),
      take: (call) => this.#options.take(workspaceId, call),
    });
  }

  async #settle(standIns: StandIns, workspaceId: string, channelId: string): Promise<void> {
    if (standIns.knows(channelId)) return;
    const { source, view } = await this.#options.channel(workspaceId, channelId);
    const account = String(view.settings.waba_id ?? view.details.waba_id ?? '');
    const templates = account ? await this.#options.templates(workspaceId, source, account) : [];
    await standIns.adopt(source, view, templates);
  }
}
