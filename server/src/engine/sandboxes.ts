/**
 * The stand-ins that answer channels made with test keys, in this process: no provider is ever called. Each workspace has
 * its own. They are loaded when the first such channel is used, and keep nothing: what a channel needs of them is made
 * anew from the channel itself.
 */
import type {
  ChannelView,
  HookReply,
  HookRequest,
  HttpClient,
  Provider,
  ProviderConfig,
  ProviderTemplate,
} from '../connectors/connector.ts';
import type { Registry } from '../connectors/registry.ts';
import type { CustomerMessage, StandIn, StandInParts } from '../connectors/stand-in.ts';
import { PatchbayError, ProviderError } from '../model/errors.ts';

export interface SandboxesOptions {
  registry: Registry;
  /** The installation's own settings; what is about no provider counts here too. */
  config: ProviderConfig;
  /** The channel as it is stored. */
  channel(workspaceId: string, channelId: string): Promise<{ source: string; view: ChannelView }>;
  /** Templates that the channel's account had, so that a restart does not lose them. */
  templates(workspaceId: string, source: string, account: string): Promise<ProviderTemplate[]>;
  /** A webhook of a stand-in comes in. */
  take(workspaceId: string, call: HookRequest): Promise<HookReply>;
}

/** A workspace's stand-in for one provider, with the channels that it knows. */
interface Loaded {
  standIn: StandIn;
  adopted: Set<string>;
}

export class Sandboxes {
  readonly #options: SandboxesOptions;
  readonly #loaded = new Map<string, Promise<Loaded>>();
  readonly config: ProviderConfig;

  constructor(options: SandboxesOptions) {
    this.#options = options;
    const { config, registry } = options;
    const settings: Record<string, string | (() => string)> = Object.assign(
      {},
      ...registry.providers.map(({ standIn }) => standIn?.settings),
    );
    const get = (name: string) => {
      const own = settings[name];
      if (own !== undefined) return typeof own === 'function' ? own() : own;
      return registry.providers.some((provider) => provider.settings?.test(name)) ? undefined : config.get(name);
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

  /** True where a sandbox channel of this source is not answered by anybody: what it sends counts as sent. */
  onlyPretends({ sandbox, source }: { sandbox: boolean; source: string }): boolean {
    const { registry } = this.#options;
    return sandbox && !registry.providerOf(source)?.standIn && !registry.connector(source)?.callsNobody;
  }

  /** The way out of one channel, or of one that is just being connected. */
  http(channel: { workspaceId: string; channelId: string | null }): HttpClient {
    return async (url, request) => {
      const { origin } = new URL(url);
      const provider = this.#options.registry.providers.find(({ standIn }) => standIn?.origins.includes(origin));
      if (!provider) throw new ProviderError('rejected', `A sandbox channel does not call ${origin}`);
      const loaded = await this.#of(channel.workspaceId, provider);
      if (channel.channelId) await this.#adopt(loaded, provider, channel.workspaceId, channel.channelId);
      return loaded.standIn.http(url, request);
    };
  }

  /** Makes the account that is about to be connected exist. */
  async prepare(workspaceId: string, source: string, input: Record<string, unknown>): Promise<void> {
    const provider = this.#options.registry.providerOf(source);
    if (provider?.standIn) (await this.#of(workspaceId, provider)).standIn.prepare(source, input);
  }

  /** Somebody writes to the channel; resolves when their message has come in. Gives the provider's id of it. Throws `not-supported`. */
  async customerWrites(workspaceId: string, channelId: string, message: CustomerMessage): Promise<string> {
    const { source, view } = await this.#options.channel(workspaceId, channelId);
    const provider = this.#options.registry.providerOf(source);
    if (!provider?.standIn) {
      throw new PatchbayError('not-supported', `there is no simulated customer for ${source}: use its own way in`);
    }
    const loaded = await this.#of(workspaceId, provider);
    await this.#adopt(loaded, provider, workspaceId, channelId);
    return loaded.standIn.customerWrites(source, view, message);
  }

  async close(): Promise<void> {
    for (const loaded of this.#loaded.values()) await (await loaded).standIn.close();
    this.#loaded.clear();
  }

  #of(workspaceId: string, provider: Provider): Promise<Loaded> {
    const key = `${workspaceId} ${provider.name}`;
    let loaded = this.#loaded.get(key);
    if (!loaded) {
      loaded = this.#load(workspaceId, provider);
      loaded.catch(() => this.#loaded.delete(key));
      this.#loaded.set(key, loaded);
    }
    return loaded;
  }

  async #load(workspaceId: string, { standIn }: Provider): Promise<Loaded> {
    const { config } = this;
    const deliver: StandInParts['deliver'] = async (address, headers, body) => {
      const { pathname: path, search, searchParams } = new URL(address, config.publicUrl);
      const reply = await this.#options.take(workspaceId, {
        method: 'POST',
        url: `${config.publicUrl.replace(/\/+$/, '')}${path}${search}`,
        path,
        query: Object.fromEntries(searchParams),
        headers,
        body: Buffer.from(body),
      });
      return { status: reply.status, body: reply.body ?? '' };
    };
    const simulate = await standIn!.load();
    return { standIn: simulate({ config, deliver }), adopted: new Set() };
  }

  /** A channel of another provider (which calls here by a redirect, say) has nothing that this one could know. */
  async #adopt({ standIn, adopted }: Loaded, provider: Provider, workspaceId: string, channelId: string): Promise<void> {
    if (adopted.has(channelId)) return;
    const { source, view } = await this.#options.channel(workspaceId, channelId);
    const connector = provider.connectors.find((own) => own.source === source);
    if (!connector) return;
    const templates = connector.templates ? await this.#options.templates(workspaceId, source, connector.templates.account(view)) : [];
    if (adopted.has(channelId)) return;
    adopted.add(channelId);
    standIn.adopt(source, view, templates);
  }
}
