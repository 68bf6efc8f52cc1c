/** What this Meta knows: one app, its tokens, business accounts with numbers and templates, pages with their Instagram accounts. */
import { randomUUID } from 'node:crypto';

/** How many messages each way are remembered at least. */
export const REMEMBERED = 10_000;

export interface Token {
  value: string;
  /** Ids of the accounts, numbers and pages that it reaches; absent: all. */
  reaches?: string[];
  scopes: string[];
  /** Seconds since 1970; 0: never ends. */
  expiresAt: number;
  valid: boolean;
}

export interface PhoneNumber {
  id: string;
  display_phone_number: string;
  verified_name: string;
  quality_rating: string;
  status: string;
  name_status: string;
  code_verification_status: string;
  throughput: { level: string };
  platform_type: string;
  whatsapp_business_manager_messaging_limit: string;
  /** Whether it may send, and why not. */
  health_status?: { can_send_message: 'AVAILABLE' | 'LIMITED' | 'BLOCKED'; entities: Record<string, unknown>[] } | undefined;
}

export interface Template {
  id: string;
  name: string;
  language: string;
  status: string;
  category: string;
  quality_score: { score: string };
  rejected_reason: string;
  parameter_format: string;
  components: Record<string, unknown>[];
}

export interface Waba {
  id: string;
  name: string;
  numbers: PhoneNumber[];
  templates: Template[];
  subscribed: boolean;
}

export interface Page {
  id: string;
  name: string;
  token: string;
  subscribedFields: string[] | undefined;
  instagram?: { id: string; username: string; name: string };
  /** No page at all: an Instagram account with a token of its own (Instagram Login). */
  ownLogin?: true;
}

export interface StoredMedia {
  id: string;
  data: Buffer;
  mimeType: string;
  filename?: string;
}

export interface SentMessage {
  id: string;
  /** The number or page that it was sent from. */
  from: string;
  to: string;
  body: Record<string, unknown>;
  at: number;
}

export interface Seed {
  appId?: string;
  appSecret?: string;
  verifyToken?: string;
  tokens?: (Partial<Token> & { value: string })[];
  wabas?: { id: string; name?: string; numbers?: (Partial<PhoneNumber> & { id: string })[]; templates?: Partial<Template>[] }[];
  pages?: (Partial<Page> & { id: string })[];
  /** Accounts with a token of their own; `expiresAt` is the token's. */
  instagramAccounts?: { id: string; username: string; name: string; token: string; expiresAt?: number }[];
}

export class MetaState {
  /** Where the dashboard says that webhooks go; nothing is shown while it is not set. */
  callbackUrl: string | undefined;
  readonly app: { id: string; secret: string; verifyToken: string };
  readonly tokens = new Map<string, Token>();
  readonly wabas: Waba[];
  readonly pages: Page[];
  readonly media = new Map<string, StoredMedia>();
  readonly sent: SentMessage[] = [];
  /** Ids of messages that customers wrote. */
  readonly received = new Set<string>();
  /** When a customer last wrote: `<number or page> <customer>` → milliseconds. */
  readonly lastInbound = new Map<string, number>();

  constructor(seed: Seed) {
    this.app = {
      id: seed.appId ?? '1000000000000001',
      secret: seed.appSecret ?? 'sandbox-app-secret',
      verifyToken: seed.verifyToken ?? 'sandbox-verify-token',
    };
    for (const token of seed.tokens ?? [{ value: 'sandbox-token' }]) this.addToken(token);
    this.wabas = (seed.wabas ?? []).map(({ id, name, numbers, templates }) => ({
      id,
      name: name ?? 'Sandbox business',
      numbers: (numbers ?? []).map(phoneNumber),
      templates: (templates ?? []).map(newTemplate),
      subscribed: false,
    }));
    this.pages = (seed.pages ?? []).map((page) => ({
      name: 'Sandbox page',
      token: `page-token-${page.id}`,
      subscribedFields: undefined,
      ...page,
    }));
    for (const page of this.pages) this.addToken({ value: page.token, reaches: [page.id, page.instagram?.id ?? page.id] });
    for (const account of seed.instagramAccounts ?? []) this.addInstagramAccount(account);
  }

  addInstagramAccount(account: NonNullable<Seed['instagramAccounts']>[number]): void {
    const { id, username, name, token, expiresAt } = account;
    this.pages.push({ id, name, token, subscribedFields: undefined, instagram: { id, username, name }, ownLogin: true });
    this.addToken({ value: token, reaches: [id], ...(expiresAt === undefined ? {} : { expiresAt }) });
  }

  addToken(token: Partial<Token> & { value: string }): void {
    const scopes = [
      'whatsapp_business_messaging',
      'whatsapp_business_management',
      'pages_messaging',
      'pages_manage_metadata',
      'pages_show_list',
      'instagram_basic',
      'instagram_manage_messages',
    ];
    this.tokens.set(token.value, { scopes, expiresAt: 0, valid: true, ...token });
  }

  number(id: string): { number: PhoneNumber; waba: Waba } | undefined {
    for (const waba of this.wabas) {
      const number = waba.numbers.find((candidate) => candidate.id === id);
      if (number) return { number, waba };
    }
    return undefined;
  }

  waba(id: string): Waba | undefined {
    return this.wabas.find((waba) => waba.id === id);
  }

  /** A page by its own id or by that of its Instagram account. */
  page(id: string): Page | undefined {
    return this.pages.find((page) => page.id === id || page.instagram?.id === id);
  }

  template(id: string): { template: Template; waba: Waba } | undefined {
    for (const waba of this.wabas) {
      const template = waba.templates.find((candidate) => candidate.id === id);
      if (template) return { template, waba };
    }
    return undefined;
  }

  /** Remembers a message that went out; only so many, since a stand-in may run for weeks. */
  remember(message: SentMessage): void {
    this.sent.push(message);
    if (this.sent.length > 2 * REMEMBERED) this.sent.splice(0, REMEMBERED);
  }

  /** Notes that a customer wrote to a number or page. */
  noteInbound(account: string, customer: string, messageId: string | undefined, at: number): void {
    this.lastInbound.set(`${account} ${customer}`, at);
    if (messageId === undefined) return;
    this.received.add(messageId);
    if (this.received.size > 2 * REMEMBERED) this.received.delete(this.received.values().next().value!);
  }

  store(data: Buffer, mimeType: string, filename?: string): StoredMedia {
    const media = { id: numericId(), data, mimeType, filename };
    this.media.set(media.id, media);
    return media;
  }
}

function phoneNumber(given: Partial<PhoneNumber> & { id: string }): PhoneNumber {
  return {
    display_phone_number: '+1 555-078-3881',
    verified_name: 'Sandbox number',
    quality_rating: 'GREEN',
    status: 'CONNECTED',
    name_status: 'APPROVED',
    code_verification_status: 'VERIFIED',
    throughput: { level: 'STANDARD' },
    platform_type: 'CLOUD_API',
    whatsapp_business_manager_messaging_limit: 'TIER_1K',
    ...given,
  };
}

export function newTemplate(given: Partial<Template>): Template {
  return {
    id: numericId(),
    name: 'hello_world',
    language: 'en_US',
    status: 'APPROVED',
    category: 'UTILITY',
    quality_score: { score: 'UNKNOWN' },
    rejected_reason: 'NONE',
    parameter_format: 'POSITIONAL',
    components: [{ type: 'BODY', text: 'Hello World' }],
    ...given,
  };
}

/** An id that looks like one of Meta's. */
export function numericId(): string {
  return `${BigInt(`0x${randomUUID().replaceAll('-', '').slice(0, 13)}`)}`;
}

export function wamid(): string {
  return `wamid.${Buffer.from(randomUUID().replaceAll('-', '')).toString('base64')}`;
}
