/** The mails of a stand-in's accounts, numbered in the order in which they came. */
import { randomUUID } from 'node:crypto';

export interface StoredMail {
  id: string;
  seq: number;
  folder: string;
  raw: Buffer;
  messageId: string;
  threadId: string;
  draft: boolean;
  at: Date;
}

/** Value of a header in the raw mail's first block, unfolded. */
export function headerOf(raw: Buffer, name: string): string | undefined {
  const head = raw
    .toString('latin1')
    .split(/\r?\n\r?\n/, 1)[0]!
    .replace(/\r?\n[ \t]+/g, ' ');
  return new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(head)?.[1]?.trim();
}

/** Addresses of the To, Cc and Bcc headers, in lower case. */
export function recipientsOf(raw: Buffer): string[] {
  return ['To', 'Cc', 'Bcc']
    .flatMap((name) => headerOf(raw, name)?.match(/[^\s<>,;"]+@[^\s<>,;"]+/g) ?? [])
    .map((address) => address.toLowerCase());
}

export class Mailboxes {
  readonly #boxes = new Map<string, StoredMail[]>();
  seq = 100;

  add(address: string): void {
    this.#boxes.set(address.toLowerCase(), []);
  }

  get(address: string): StoredMail[] | undefined {
    return this.#boxes.get(address.toLowerCase());
  }

  put(address: string, folder: string, raw: Buffer, options: { draft?: boolean; threadId?: string } = {}): StoredMail {
    const box = this.get(address);
    if (!box) throw new Error(`no mailbox ${address}`);
    const mail: StoredMail = {
      id: randomUUID().replaceAll('-', ''),
      seq: ++this.seq,
      folder,
      raw,
      messageId: headerOf(raw, 'Message-ID') ?? `<${randomUUID()}@sandbox.example>`,
      threadId: options.threadId ?? this.#threadOf(box, raw) ?? randomUUID().replaceAll('-', '').slice(0, 16),
      draft: options.draft ?? false,
      at: new Date(),
    };
    box.push(mail);
    return mail;
  }

  #threadOf(box: StoredMail[], raw: Buffer): string | undefined {
    const named = `${headerOf(raw, 'In-Reply-To') ?? ''} ${headerOf(raw, 'References') ?? ''}`;
    return box.find((mail) => named.includes(mail.messageId))?.threadId;
  }
}
