/** A customer of the business: writes on WhatsApp, Messenger or Instagram, and answers. */
import { hash, randomUUID } from 'node:crypto';
import { type MetaState, numericId, type Page, wamid } from './state.ts';
import type { Webhooks } from './webhooks.ts';

type Part = Record<string, unknown>;

interface World {
  state: MetaState;
  webhooks: Webhooks;
  now(): number;
}

export interface WhatsAppPerson {
  /** Digits; absent for people who go by a username alone. */
  phone?: string;
  userId?: string;
  username?: string;
  name?: string;
}

/** Somebody who writes to a number. Each method gives the id of the message that it made. */
export class WhatsAppCustomer {
  readonly #world: World;
  readonly #number: string;
  readonly #person: WhatsAppPerson;

  constructor(world: World, number: string, person: WhatsAppPerson) {
    this.#world = world;
    this.#number = number;
    this.#person = person;
  }

  text(body: string, more: Part = {}): string {
    return this.write({ type: 'text', text: { body }, ...more });
  }

  /** A file; it lies ready for download under its media id. */
  media(type: 'image' | 'video' | 'audio' | 'document' | 'sticker', data: Buffer, mimeType: string, more: Part = {}): string {
    const stored = this.#world.state.store(data, mimeType);
    return this.write({ type, [type]: { mime_type: mimeType, sha256: sumOf(data), id: stored.id, ...more } });
  }

  pressButton(id: string, title: string, repliesTo: string): string {
    return this.write({
      type: 'interactive',
      interactive: { type: 'button_reply', button_reply: { id, title } },
      context: { id: repliesTo },
    });
  }

  react(messageId: string, emoji: string): string {
    return this.write({ type: 'reaction', reaction: { message_id: messageId, emoji } });
  }

  location(latitude: number, longitude: number, name?: string): string {
    return this.write({ type: 'location', location: { latitude, longitude, ...(name ? { name } : {}) } });
  }

  /** The business answers in the WhatsApp Business app on its phone. */
  answeredOnPhone(body: string): string {
    const { state, webhooks } = this.#world;
    const id = wamid();
    const from = state.number(this.#number)?.number.display_phone_number.replace(/\D/g, '') ?? '';
    const timestamp = String(Math.floor(this.#world.now() / 1000));
    const echo = { from, to: this.#person.phone, id, timestamp, type: 'text', text: { body } };
    webhooks.emit(whatsappWebhook(state, this.#number, 'smb_message_echoes', { message_echoes: [echo] }));
    return id;
  }

  /** Any message object; id, time and sender are added. */
  write(message: Part): string {
    return this.writeAll([message])[0]!;
  }

  /** Several messages in one webhook. */
  writeAll(messages: Part[]): string[] {
    const { state, webhooks } = this.#world;
    const { phone, userId, username, name } = this.#person;
    const now = this.#world.now();
    const written = messages.map((message) => {
      const id = wamid();
      for (const recipient of [phone, userId]) if (recipient) state.noteInbound(this.#number, recipient, id, now);
      return {
        ...(phone ? { from: phone } : {}),
        ...(userId ? { from_user_id: userId } : {}),
        id,
        timestamp: String(Math.floor(now / 1000)),
        ...message,
      };
    });
    const contact = {
      profile: { name: name ?? 'Sheena Nelson', ...(username ? { username } : {}) },
      ...(phone ? { wa_id: phone } : {}),
      ...(userId ? { user_id: userId } : {}),
    };
    webhooks.emit(whatsappWebhook(state, this.#number, 'messages', { contacts: [contact], messages: written }));
    return written.map(({ id }) => id);
  }
}

/** A webhook about a number. */
export function whatsappWebhook(state: MetaState, number: string, field: string, value: Part): unknown {
  const found = state.number(number);
  const display = found?.number.display_phone_number.replace(/\D/g, '') ?? '';
  const metadata = { display_phone_number: display, phone_number_id: number };
  const change = { value: { messaging_product: 'whatsapp', metadata, ...value }, field };
  return { object: 'whatsapp_business_account', entry: [{ id: found?.waba.id ?? '0', changes: [change] }] };
}

/** Somebody who writes to a page, or to its Instagram account. */
export class PageCustomer {
  readonly #world: World;
  readonly #page: Page;
  readonly #account: string;
  readonly #id: string;

  constructor(world: World, page: Page, account: string, id: string = numericId()) {
    this.#world = world;
    this.#page = page;
    this.#account = account;
    this.#id = id;
  }

  get id(): string {
    return this.#id;
  }

  text(text: string, more: Part = {}): string {
    return this.write({ text, ...more });
  }

  attachment(type: string, payload: Part, text?: string): string {
    return this.write({ ...(text ? { text } : {}), attachments: [{ type, payload }] });
  }

  postback(title: string, payload: string): string {
    const mid = `m_${randomUUID()}`;
    this.item({ postback: { mid, title, payload } });
    return mid;
  }

  react(mid: string, emoji: string): void {
    this.item({ reaction: { mid, action: 'react', reaction: 'other', emoji } });
  }

  write(message: Part): string {
    const mid = `m_${randomUUID()}`;
    this.item({ message: { mid, ...message } });
    return mid;
  }

  /** Any messaging item; sender, recipient and time are added. */
  item(item: Part): void {
    const now = this.#world.now();
    this.#world.state.noteInbound(this.#account, this.#id, undefined, now);
    const messaging = [{ sender: { id: this.#id }, recipient: { id: this.#account }, timestamp: now, ...item }];
    this.#world.webhooks.emit(pageWebhook(this.#page, this.#account, messaging, now));
  }
}

/** A webhook about a page or an Instagram account. */
export function pageWebhook(page: Page, account: string, messaging: Part[], now: number): unknown {
  return { object: account === page.instagram?.id ? 'instagram' : 'page', entry: [{ id: account, time: now, messaging }] };
}

/** WhatsApp writes SHA-256 sums in base64. */
function sumOf(data: Buffer): string {
  return hash('sha256', data, 'base64');
}
