/** What the stand-in for Twilio knows: accounts, numbers, senders, messages, templates. In memory only. */
import { randomBytes } from 'node:crypto';

export interface SandboxNumber {
  sid: string;
  phone_number: string;
  friendly_name: string;
  capabilities: { sms: boolean; mms: boolean; voice: boolean; fax: boolean };
  sms_url: string;
  sms_method: string;
}

export interface SandboxSender {
  sid: string;
  /** `whatsapp:+49…` */
  sender_id: string;
  status: string;
  name: string;
  webhook: { callback_url: string; callback_method: string; status_callback_url: string; status_callback_method: string };
}

export interface SandboxMessage {
  sid: string;
  from: string;
  to: string;
  body: string;
  status: string;
  direction: 'inbound' | 'outbound-api';
  created: Date;
  sent: Date | null;
  media: { sid: string; type: string; data: Buffer; url?: string }[];
  errorCode: number | null;
  errorMessage: string | null;
  messagingServiceSid: string | null;
  statusCallback: string | null;
  segments: number;
}

export interface SandboxContent {
  sid: string;
  friendly_name: string;
  language: string;
  variables: Record<string, string>;
  types: Record<string, Record<string, unknown>>;
  created: Date;
  approval: {
    name: string;
    category: string;
    content_type: string;
    status: string;
    rejection_reason: string;
    allow_category_change: boolean;
  };
}

export interface SandboxAccount {
  sid: string;
  authToken: string;
  status: 'active' | 'suspended' | 'closed';
  numbers: SandboxNumber[];
  senders: SandboxSender[];
  messages: SandboxMessage[];
  contents: SandboxContent[];
  /** `our number|their number`: they have answered STOP. */
  stopped: Set<string>;
  /** `our sender|their number` → when they last wrote. */
  lastInbound: Map<string, Date>;
  /** Typing indicators that were asked for. */
  typing: string[];
}

/** A Twilio id: two letters and 32 hex digits. */
export function newSid(prefix: string): string {
  return prefix + randomBytes(16).toString('hex');
}

export function newAccount(sid: string, authToken: string): SandboxAccount {
  return {
    sid,
    authToken,
    status: 'active',
    numbers: [],
    senders: [],
    messages: [],
    contents: [],
    stopped: new Set(),
    lastInbound: new Map(),
    typing: [],
  };
}

export function newNumber(phoneNumber: string, abilities: Partial<SandboxNumber['capabilities']> = {}): SandboxNumber {
  return {
    sid: newSid('PN'),
    phone_number: phoneNumber,
    friendly_name: phoneNumber,
    capabilities: { sms: true, mms: true, voice: true, fax: false, ...abilities },
    sms_url: '',
    sms_method: 'POST',
  };
}

export function newSender(phoneNumber: string, name = 'Sandbox business'): SandboxSender {
  return {
    sid: newSid('XE'),
    sender_id: `whatsapp:${phoneNumber}`,
    status: 'ONLINE',
    name,
    webhook: { callback_url: '', callback_method: 'POST', status_callback_url: '', status_callback_method: 'POST' },
  };
}

/** A refusal in Twilio's shape. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  toJSON(): object {
    return { code: this.code, message: this.message, more_info: `https://www.twilio.com/docs/errors/${this.code}`, status: this.status };
  }
}

export function notFound(path: string): Refusal {
  return new Refusal(404, 20404, `The requested resource ${path} was not found`);
}
