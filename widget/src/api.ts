import type { ChannelInfo, Config } from './settings.ts';

/** The server refused a request; `status` 0 means that it did not answer. */
export class ApiError extends Error {
  status: number;
  retryAfterMs: number;
  constructor(status: number, retryAfterSeconds = 0) {
    super(`HTTP ${status}`);
    this.status = status;
    this.retryAfterMs = retryAfterSeconds * 1000;
  }
  /** The same request may work later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
  get unauthorized(): boolean {
    return this.status === 401 || this.status === 403;
  }
}

/** A message as the server tells it. */
export interface Message {
  id: string;
  content: unknown;
  sent_at: string;
  delivery_state: string;
  from_contact: boolean;
  sender?: { id?: string; name?: string | null; avatar_url?: string | null } | null;
  /** Ours alone, of a message that left from this page: keeps its place in the list while its id becomes known. */
  clientId?: string;
  preview?: string;
}

/** What a visitor can send. */
export type OutgoingContent =
  | { text: string }
  | { attachment: { type: string; payload: { url: string; name?: string } } }
  | { type: 'suggestionResponse'; text: string; postbackData: string };

export interface Api {
  config(): Promise<{ channel: ChannelInfo; config: Config }>;
  authenticate(resumeToken?: string): Promise<{ token: string; messages: Message[]; cursor?: string }>;
  send(token: string, message: OutgoingContent, clientId: string): Promise<Message>;
  resumeToken(token: string): Promise<string>;
  end(token: string): Promise<void>;
  upload(token: string, file: File, progress: (part: number) => void): Promise<string>;
  socketUrl: string;
}

/** The server's HTTP calls. Every one rejects with `ApiError`. */
export function connectApi(host: string, channelId: string): Api {
  // XMLHttpRequest and not fetch, which cannot tell how far an upload is.
  const call = <T>(path: string, token?: string, body?: object, progress?: (part: number) => void) =>
    new Promise<T>((resolve, reject) => {
      const request = new XMLHttpRequest();
      const form = body instanceof FormData;
      request.open(body ? 'POST' : 'GET', host + path);
      request.responseType = 'json';
      if (body && !form) request.setRequestHeader('content-type', 'application/json');
      if (token) request.setRequestHeader('authorization', `Bearer ${token}`);
      if (progress) request.upload.onprogress = ({ loaded, total }) => progress(total && loaded / total);
      request.onerror = () => reject(new ApiError(0));
      request.onload = () => {
        if (request.status < 300) resolve(request.response as T);
        else reject(new ApiError(request.status, Number(request.getResponseHeader('retry-after')) || 0));
      };
      request.send(form ? body : JSON.stringify(body));
    });

  return {
    config: () => call(`/widget/config?channel_id=${encodeURIComponent(channelId)}`),
    authenticate: (resumeToken) =>
      call('/chatplugin.authenticate', undefined, resumeToken ? { resume_token: resumeToken } : { channel_id: channelId }),
    send: (token, message, clientId) => call('/chatplugin.send', token, { message, client_id: clientId }),
    resumeToken: async (token) => (await call<{ resume_token: string }>('/chatplugin.resumeToken', token, {})).resume_token,
    end: (token) => call('/chatplugin.end', token, {}),
    async upload(token, file, progress) {
      const form = new FormData();
      form.append('file', file);
      return (await call<{ media_url: string }>('/media.upload', token, form, progress)).media_url;
    },
    socketUrl: `${host.replace(/^http/, 'ws')}/ws.chatplugin`,
  };
}
