/** What the engine hands a connector to work with: the way out, settings, memory, files. */
import type { Readable } from 'node:stream';

/** The settings of the whole installation that connectors may read; names as in the environment. */
export interface ProviderConfig {
  publicUrl: string;
  get(name: string): string | undefined;
  /** The setting, or a `setting-missing` error that names the variable. */
  require(name: string): string;
}

export interface HttpRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array | FormData;
  /** Milliseconds for the whole exchange; 10,000 unless told. */
  timeoutMs?: number;
  /** Largest answer that is read, in bytes; 10 MB unless told. */
  maxBytes?: number;
  /** False: an answer that sends elsewhere is the answer. */
  followRedirects?: boolean;
  /** Takes the body of a good answer (2xx) as it comes, in place of holding it: `HttpResponse.body` is then empty. */
  into?: (body: AsyncIterable<Buffer>) => Promise<void>;
}

export interface HttpResponse {
  status: number;
  headers: Headers;
  body: Buffer;
  /** The body as JSON; undefined when it is not. */
  json(): unknown;
  text(): string;
}

/**
 * The way out: refuses private addresses (redirects and rebinding included) unless the installation allows them.
 * Throws `ProviderError`: `retry` when the provider could not be reached at all (nothing was sent), `unknown-outcome`
 * when the connection broke or timed out after the request was written.
 */
export type HttpClient = (url: string, request?: HttpRequest) => Promise<HttpResponse>;

export interface ConnectorContext {
  http: HttpClient;
  config: ProviderConfig;
  now(): Date;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Opens a stored medium for sending; undefined when it is gone. */
  openMedia(id: string): Promise<{ data: Buffer; mimeType: string; filename?: string } | undefined>;
  /** A signed public address of a stored medium that the provider may fetch for the next hours. */
  mediaUrl(id: string): string;
  /** A small per-channel memory for things worth keeping between calls (uploaded media ids, access tokens). */
  memo: {
    get(key: string): Promise<unknown>;
    set(key: string, value: unknown, ttlSeconds: number): Promise<void>;
    /** True for the first who asks, in every process, until it is dropped or its time is over: what must not be done twice at once. */
    claim(key: string, ttlSeconds: number): Promise<boolean>;
    drop(key: string): Promise<void>;
  };
  /**
   * For protocols that are no HTTP (SMTP, IMAP): the address to dial for a host, refusing what `http` would refuse.
   * Throws `ProviderError`. Absent: the system's resolver, everything allowed.
   */
  resolveHost?(host: string): Promise<string>;
  /** A channel made with a test key: whatever speaks no HTTP must not leave the house either. */
  sandbox?: boolean;
  /** What is known here of a mail domain. */
  mailDomain?(domain: string): Promise<MailDomain>;
}

/** A mail domain as the channel's workspace has it. */
export interface MailDomain {
  /** The workspace that the domain's DNS records speak for. */
  owner: 'us' | 'somebody else' | 'nobody';
  /** It was verified, and the records that it needs are missing now. */
  failing: boolean;
  /** What mail from the domain is signed with, once the DNS has the key. */
  dkim?: { selector: string; privateKey: string };
}

/** Bytes that were made safe: in memory while they are few, else in a file. */
export interface Kept {
  /** All of them; of those in a file the beginning. */
  body: Buffer;
  size: number;
  /** The file's name: what `Spool.open` takes. */
  file?: string;
}

/** Where bytes go that are too many to be held in memory. */
export interface Spool {
  /** Resolves once they are on the disk. Throws `unavailable` when that is full; what the source throws is passed on. */
  keep(source: AsyncIterable<Buffer>): Promise<Kept>;
  open(file: string): Readable;
}
