/** Every source that Patchbay knows. Adding one is adding its folder and one line here. */
import { chatplugin } from './chatplugin/index.ts';
import type { Connector, Hook, Provider } from './connector.ts';
import { custom } from './custom/index.ts';
import { email } from './email/index.ts';
import { google } from './google/index.ts';
import { meta } from './meta/index.ts';
import { twilio } from './twilio/index.ts';

export const PROVIDERS: Provider[] = [chatplugin, meta, twilio, google, email, custom];

export class Registry {
  readonly providers: readonly Provider[];
  readonly #connectors = new Map<string, Connector>();

  constructor(providers: readonly Provider[] = PROVIDERS) {
    this.providers = providers;
    for (const provider of providers) {
      for (const connector of provider.connectors) {
        if (this.#connectors.has(connector.source)) throw new Error(`two connectors claim the source ${connector.source}`);
        this.#connectors.set(connector.source, connector);
      }
    }
  }

  /** The source's connector; undefined when there is none. */
  connector(source: string): Connector | undefined {
    return this.#connectors.get(source);
  }

  /** The source's provider; undefined when there is none. */
  providerOf(source: string): Provider | undefined {
    return this.providers.find((provider) => provider.connectors.some((connector) => connector.source === source));
  }

  /** The sources of the same provider, this one among them: some share an account's subscription. */
  sourcesOfProvider(source: string): string[] {
    return this.providerOf(source)?.connectors.map((connector) => connector.source) ?? [source];
  }

  get connectors(): Connector[] {
    return [...this.#connectors.values()];
  }

  get hooks(): Hook[] {
    return this.providers.flatMap((provider) => provider.hooks ?? []);
  }
}
