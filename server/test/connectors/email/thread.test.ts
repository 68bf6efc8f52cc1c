import { describe, expect, it } from 'vitest';
import { buildMail } from '../../../src/connectors/email/build.ts';
import { taggedAddress } from '../../../src/connectors/email/message-id.ts';
import { bareSubject } from '../../../src/connectors/email/thread.ts';
import type { MessageEvent } from '../../../src/connectors/events.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { mailbox, testContext } from './context.ts';
import { MAILBOX, mail, message } from './mail.ts';

/** The engine's lookup as `ThreadRef` describes it. */
class Threads {
  readonly #rows: { contact: string; key: string; ids: Set<string>; guess: unknown; data: Record<string, unknown>; guessed: boolean }[] =
    [];

  place(event: MessageEvent): number {
    const contact = event.contact.identities[0]!.value;
    const thread = event.thread!;
    const mine = this.#rows.filter((row) => row.contact === contact);
    const known = (thread.candidates ?? [])
      .map((id) => mine.find((row) => row.ids.has(id) || row.key === id))
      .find((row) => row !== undefined);
    const guessed = thread.guess === undefined ? undefined : mine.findLast((row) => row.guess === thread.guess);
    let row = known ?? mine.find((candidate) => candidate.key === thread.key) ?? guessed;
    if (!row) {
      row = { contact, key: thread.key, ids: new Set(), guess: undefined, data: {}, guessed: false };
      this.#rows.push(row);
    }
    row.ids.add(event.providerId);
    row.data = thread.data ?? {};
    row.guess = row.data.guess;
    return this.#rows.indexOf(row);
  }

  sent(index: number, id: string, threadData: Record<string, unknown>) {
    this.#rows[index]!.ids.add(id);
    Object.assign(this.#rows[index]!.data, threadData);
  }

  data(index: number) {
    return this.#rows[index]!.data;
  }
}

const support = mailbox(MAILBOX, { provider: 'aurion' });

async function answer(threads: Threads, index: number, subject: string) {
  const id = uuidv7();
  const out = await buildMail(
    {
      id,
      to: [{ kind: 'emailaddress', value: 'ann@example.com' }],
      content: { type: 'text', text: 'Hi' },
      thread: { key: 'k', subject, data: threads.data(index) },
    },
    support,
    testContext(),
    { tagged: true },
  );
  threads.sent(index, out.messageId, { references: out.references, last: { id: out.messageId } });
  return { id, messageId: out.messageId, references: out.references };
}

describe('threads stay whole across mail programs', () => {
  /** What each program makes of our answer's headers when the customer answers. */
  const programs: [string, (ours: { messageId: string; references: string[] }) => Record<string, string>][] = [
    [
      'Gmail: both headers',
      ({ messageId, references }) => ({ 'In-Reply-To': `<${messageId}>`, References: references.map((id) => `<${id}>`).join(' ') }),
    ],
    [
      'Outlook: folded, tabs',
      ({ messageId, references }) => ({
        'In-Reply-To': `<${messageId}>`,
        References: references.map((id) => `<${id}>`).join('\r\n\t'),
        'Thread-Index': 'AdqX',
        Subject: 'RE: Order 7',
      }),
    ],
    ['Outlook: In-Reply-To alone', ({ messageId }) => ({ 'In-Reply-To': `<${messageId}>`, Subject: 'AW: Order 7' })],
    ['Apple Mail: References alone', ({ messageId, references }) => ({ References: `<${references[0]}> <${messageId}>` })],
    ['Thunderbird: comment in In-Reply-To', ({ messageId }) => ({ 'In-Reply-To': `Message from Support <${messageId}>` })],
    ['an answer to the first mail, not to ours', () => ({ References: '<m1@example.com>' })],
  ];

  it.each(programs)('%s', async (_, headers) => {
    const threads = new Threads();
    const first = threads.place(await message(mail({})));
    const ours = await answer(threads, first, 'Order 7');
    expect(ours.references[0]).toBe('m1@example.com');
    expect(threads.place(await message(mail({ 'Message-ID': '<m2@example.com>', Subject: 'Re: Order 7', ...headers(ours) })))).toBe(first);
  });

  it('a plus-address alone finds the thread', async () => {
    const threads = new Threads();
    const first = threads.place(await message(mail({})));
    const ours = await answer(threads, first, 'Order 7');
    const raw = mail({ 'Message-ID': '<m2@example.com>', To: taggedAddress('reply', ours.id, MAILBOX), Subject: 'something else' });
    expect(threads.place(await message(raw))).toBe(first);
  });

  it('a colleague who answered elsewhere does not break it', async () => {
    const threads = new Threads();
    const first = threads.place(await message(mail({})));
    const raw = mail({
      'Message-ID': '<m3@example.com>',
      'In-Reply-To': '<outlook@corp.example>',
      References: '<m1@example.com> <outlook@corp.example>',
    });
    expect(threads.place(await message(raw))).toBe(first);
  });

  it('many people who answer one newsletter stay apart', async () => {
    const threads = new Threads();
    const ids = ['ann', 'bob', 'cid'].map((name, index) =>
      mail({
        From: `${name}@example.com`,
        'Message-ID': `<n${index}@x>`,
        'In-Reply-To': '<news@shop.example>',
        References: '<news@shop.example>',
      }),
    );
    const places = [];
    for (const raw of ids) places.push(threads.place(await message(raw)));
    expect(new Set(places).size).toBe(3);
  });

  it('the subject is a last resort, and only for an answer that names nothing', async () => {
    const threads = new Threads();
    const first = threads.place(await message(mail({})));
    expect(threads.place(await message(mail({ 'Message-ID': '<m9@x>', Subject: 'Re: Order 7' })))).toBe(first);
    expect(threads.place(await message(mail({ 'Message-ID': '<m10@x>', Subject: 'Order 7' })))).not.toBe(first);
    expect((await message(mail({ Subject: 'Re: Order 7', 'In-Reply-To': '<x@y>' }))).thread?.guess).toBeUndefined();
  });

  it('asks for our own ids first, then In-Reply-To, then References from the last, then the plus-address', async () => {
    const own = `${uuidv7()}@shop.example`;
    const tagged = uuidv7();
    const found = await message(
      mail({ To: taggedAddress('reply', tagged, MAILBOX), 'In-Reply-To': '<reply@x>', References: `<root@x> <${own}> <late@x>` }),
    );
    expect(found.thread?.candidates).toEqual([own, 'reply@x', 'late@x', 'root@x', `${tagged}@shop.example`]);
    expect(found.thread?.key).toBe('root@x');
  });

  it('bare subjects', () => {
    expect(bareSubject('Re: AW: Fwd: [Ticket] Re[2]: Order 7')).toBe('[Ticket] Re[2]: Order 7'.replace('[Ticket] Re[2]: ', ''));
    expect(bareSubject('Regarding order')).toBe('Regarding order');
  });
});
