/** The workspace API's objects, as far as the pages read them. */
import type { Content } from '../../../server/src/model/content.ts';
import type { MessageError, MessageState } from '../../../server/src/model/message.ts';

export type { Content, MessageState };

export interface Page<T> {
  results: T[];
  nextPageToken?: string;
}

export interface Session {
  workspaceId: string;
  name: string;
  scopes: string[];
  sandbox: boolean;
}

/** A JSON schema, as far as the forms draw it. */
export interface Schema {
  type?: string;
  title?: string;
  description?: string;
  examples?: unknown[];
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  /** Write-only: never shown again. */
  secret?: boolean;
  /** May be changed on a connected channel. */
  editable?: boolean;
  help?: string;
  /** Another name for a field beside it, for programs. */
  hidden?: boolean;
  /** Several lines: a signature, a key in PEM. */
  multiline?: boolean;
  /** Of a choice: the page of the documentation that is about it. */
  guide?: string;
  /** Shown only while the fields beside it have one of these values: `{ provider: ['smtp'] }`. */
  when?: Record<string, string[]>;
}

export interface CatalogEntry {
  source: string;
  platformId: string;
  title: string;
  description: string;
  category: 'chat' | 'messaging' | 'sms' | 'email' | 'voice' | 'custom';
  guide: string;
  notice?: string;
  color: string;
  /** A 24×24 SVG path. */
  icon: string;
  inputSchema: Schema;
  settingsSchema: Schema;
  /** What addresses its contacts have. */
  identifierKey: string;
  canExplore: boolean;
  capabilities?: Partial<Capabilities>;
}

export type ChannelStatus = 'setting-up' | 'pending' | 'active' | 'warning' | 'failed' | 'inactive' | 'deleted';

export interface ChannelDetails {
  id: string;
  source: string;
  sourceChannelId: string;
  name: string;
  imageUrl: string | null;
  status: ChannelStatus;
  statusReason: string | null;
  sandbox: boolean;
  settings: Record<string, unknown>;
  details: Record<string, unknown>;
  metadata: Record<string, unknown>;
  /** A person can grant it access in the browser. */
  grantsAccess: boolean;
  setup: SetupRow[];
  lastInAt: string | null;
  lastOutAt: string | null;
  lastError: { class: string; message: string; at: string } | null;
  health: { checks?: { name: string; ok: boolean; message?: string }[]; expiresAt?: string } | null;
  healthAt: string | null;
  createdAt: string;
  updatedAt: string;
}

export interface SetupRow {
  label: string;
  /** Empty where it is secret, until it is asked for. */
  value: string;
  help?: string;
  secret?: boolean;
}

/** An account that could be connected. */
export interface Candidate {
  sourceChannelId: string;
  name: string;
  imageUrl?: string;
  input?: Record<string, unknown>;
  connected: boolean;
}

export interface MediaLimit {
  maxBytes: number;
  types: string[];
  caption?: number;
}

/** What a channel can carry: plain booleans and limits. */
export interface Capabilities {
  text?: { max: number; unit?: 'characters' | 'bytes' };
  media?: Partial<Record<'image' | 'video' | 'audio' | 'file' | 'sticker', MediaLimit>>;
  email?: boolean;
  replies?: boolean;
  templates?: boolean;
  reactions?: { in: boolean; out: boolean };
  typing?: { in: boolean; out: boolean };
  window?: { hours: number } | null;
}

export interface ContactSummary {
  id: string;
  computedDisplayName: string;
  avatarUrl?: string | null;
  identifiers?: Identifier[];
}

export interface Identifier {
  key: string;
  value: string;
}

export interface Contact {
  id: string;
  computedDisplayName: string;
  featuredIdentifiers: Identifier[];
  attributes: Record<string, unknown>;
  createdAt: string;
  updatedAt: string;
}

export interface Message {
  id: string;
  conversationId: string;
  channelId: string;
  direction: 'incoming' | 'outgoing';
  state: MessageState;
  content: Content;
  sender?: { displayName?: string | null; contact?: { id: string } | null } | null;
  reaction?: { emoji: string } | null;
  ownReaction?: { emoji: string } | null;
  replyTo?: { id: string } | null;
  error?: Pick<MessageError, 'message' | 'hint' | 'providerCode' | 'providerMessage'> | null;
  reference?: string | null;
  /** When it goes out, where it was to wait. */
  scheduledFor?: string;
  createdAt: string;
}

export interface Conversation {
  id: string;
  name: string | null;
  status: 'active' | 'closed';
  channelId: string;
  platformId: string;
  contact: ContactSummary;
  unreadCount: number;
  tags: string[];
  subject: string | null;
  lastMessage?: Message | null;
  lastMessageAt: string | null;
  serviceWindowExpireAt: string | null;
  isPermanentSession: boolean | null;
  createdAt: string;
  updatedAt: string;
}

export interface ApiKey {
  id: string;
  name: string;
  prefix: string;
  scopes: string[];
  sandbox: boolean;
  createdAt: string;
  lastUsedAt?: string | null;
  /** Only in the answer to its creation. */
  key?: string;
}

export type RawState = 'failed' | 'unrouted' | 'waiting' | 'ignored' | 'applied';

export interface RawEvent {
  id: string;
  source: string;
  sourceChannelId: string | null;
  contentType: string;
  state: RawState;
  error: string | null;
  attempts: number;
  receivedAt: string;
  appliedAt: string | null;
  /** Only when asked for by id. */
  body?: string;
}

export interface StoredMedia {
  id: string;
  mediaUrl: string;
  mimeType: string;
  size: number;
  filename?: string;
}

/** What `POST …/messages` takes as its body. */
export type MessageBody =
  | { type: 'text'; text: { text: string; attachments?: { mediaUrl: string; filename?: string }[]; metadata?: { subject?: string } } }
  | { type: 'template'; template: TemplateChoice }
  | { type: 'image'; image: { text?: string; images: { mediaUrl: string; altText?: string }[] } }
  | { type: 'file'; file: { text?: string; files: { mediaUrl: string; contentType: string; filename?: string }[] } };

/** One entry of the workspace's log, as the stream tells it. */
export interface LiveEvent {
  seq: number;
  type: string;
  channelId: string | null;
  conversationId: string | null;
  contactId: string | null;
  messageId: string | null;
  data: Record<string, unknown>;
  message?: Message;
  conversation?: Conversation;
  channel?: ChannelDetails;
}

/** A template with what was filled in. */
export interface TemplateChoice {
  name: string;
  locale: string;
  components: TemplateComponent[];
}

export interface TemplateComponent {
  type: 'header' | 'body' | 'button';
  subType?: string;
  index?: number;
  parameters: { type: string; name?: string; text?: string; media?: { url: string } }[];
}

/** What whoever sends a template has to fill in. */
export interface TemplateField {
  component: 'header' | 'body' | 'button';
  index?: number;
  subType?: string;
  name: string;
  type: 'text' | 'image' | 'video' | 'document' | 'location' | 'coupon_code';
  text?: string;
}

export interface ProviderTemplate {
  id: string;
  source: string;
  name: string;
  language: string;
  /** In the provider's words. */
  status: string;
  category: string | null;
  quality: string | null;
  rejectedReason: string | null;
  body: string;
  fields: TemplateField[];
  syncedAt: string | null;
  updatedAt: string;
}

export interface SyncCounts {
  synced: number;
  added: number;
  updated: number;
}

export interface SavedReply {
  id: string;
  title: string;
  category: string | null;
  body: string;
  variables: string[];
  updatedAt: string;
}

/** What a send would do. */
export interface Preview {
  sendable: boolean;
  problems: { code: string; message: string }[];
  estimate: { parts: number; encoding: string; units: number; remaining: number; notes: string[] } | null;
}

export interface OptOut {
  identifierKey: string;
  identifierValue: string;
  keyword: string | null;
  optedOutAt: string;
}

export interface EmailDomain {
  id: string;
  domain: string;
  status: 'pending' | 'verified' | 'warning' | 'failed';
  records: DomainRecord[];
  checkedAt: string | null;
  /** Since when a domain that was verified lacks records. */
  failingSince: string | null;
}

export interface DomainRecord {
  purpose: 'dkim' | 'spf' | 'return_path' | 'dmarc';
  type: 'TXT' | 'MX';
  name: string;
  value: string;
  required: boolean;
  status: 'unchecked' | 'ok' | 'missing' | 'wrong' | 'unreachable';
  found: string[];
  message?: string;
}

/** An address that is told of one kind of event. */
export interface Webhook {
  id: string;
  service: 'channels' | 'conversations';
  event: string;
  eventFilters: { key: string; value: string }[] | null;
  url: string;
  status: 'active' | 'inactive' | 'disabled';
  statusReason: string | null;
  createdAt: string;
  updatedAt: string;
}

export type WebhookDeliveryState = 'pending' | 'succeeded' | 'failed' | 'dead';

export interface WebhookDelivery {
  requestId: string;
  event: string;
  attemptCount: number;
  httpStatusCode: number | null;
  error: string | null;
  executionStatus: WebhookDeliveryState;
  createdAt: string;
}

export interface WebhookDeliveryDetails extends WebhookDelivery {
  url: string;
  body: string;
  attempts: { createdAt: string; httpStatusCode: number | null; error: string | null }[];
}

export interface NumberAbilities {
  sms: boolean;
  mms: boolean;
  voice: boolean;
}

export interface PhoneNumber {
  id: string;
  phoneNumber: string;
  name: string | null;
  integrationId: string | null;
  capabilities: NumberAbilities;
  channelId: string | null;
  /** It can be given back to the provider. */
  releasable: boolean;
  createdAt: string;
}

/** A number that could be bought. */
export interface OfferedNumber {
  phoneNumber: string;
  locality: string | null;
  region: string | null;
  country: string | null;
  capabilities: NumberAbilities;
}

/** A provider account that channels and numbers share. */
export interface Integration {
  id: string;
  name: string;
  type: 'email' | 'sms';
  provider: string;
  hasCredentials: boolean;
  createdAt: string;
}
