/** The world outside the pages: programs with a key, and visitors of a website. */
import type { RunningPatchbay } from '../../../server/test/support/patchbay.ts';

export class World {
  readonly #patchbay: RunningPatchbay;

  constructor(patchbay: RunningPatchbay) {
    this.#patchbay = patchbay;
  }

  /** Calls the workspace API as a program does. */
  async api<T = any>(path: string, options: { method?: string; body?: unknown } = {}): Promise<T> {
    return this.#call(`/workspaces/${this.#patchbay.workspaceId}${path}`, options, `Bearer ${this.#patchbay.apiKey}`);
  }

  /** Somebody opens the website; gives what writes in their name. */
  async visitor(channelId: string): Promise<(text: string) => Promise<void>> {
    const { token } = await this.#call<{ token: string }>('/chatplugin.authenticate', { body: { channel_id: channelId } });
    return async (text) => {
      await this.#call('/chatplugin.send', { body: { message: { text } } }, `Bearer ${token}`);
    };
  }

  async #call<T>(path: string, { method, body }: { method?: string; body?: unknown }, authorization?: string): Promise<T> {
    const answer = await fetch(this.#patchbay.url + path, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(authorization ? { authorization } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }
}
