/** The short way in: what takes it, what does not, and that both ways end in the same state. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { InboundEvent, MessageEvent } from '../../src/connectors/events.ts';
import { applyInbound } from '../../src/engine/apply.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { type Prepared, takePlain } from '../../src/engine/plain.ts';
import { type Route, routeOf } from '../../src/engine/routes.ts';
import { uuidv7 } from '../../src/model/ids.ts';
import { testEngine } from '../support/engine.ts';

let engine: Engine;
let route: Route;

beforeAll(async () => {
  engine = await testEngine();
  const channel = await engine.channels.connect({
    workspaceId: engine.defaultWorkspaceId,
    source: 'chatplugin',
    input: { name: 'shop' },
    sandbox: false,
    existing: 'refuse',
  });
  route = routeOf(channel, engine.channels.connectorOf('chatplugin'));
});

const KIND = 'phonenumber';

function text(person: string, said: string, more: Partial<MessageEvent> = {}): MessageEvent {
  return {
    kind: 'message',
    direction: 'in',
    providerId: `${person}-${said}`,
    contact: { identities: [{ kind: KIND, value: person }] },
    content: { type: 'text', text: said },
    payload: { said },
    sentAt: new Date(Date.UTC(2026, 0, 1)),
    ...more,
  };
}

function prepared(...events: InboundEvent[]): Prepared {
  const id = uuidv7();
  const receivedAt = new Date();
  return {
    row: {
      workspaceId: route.workspaceId,
      id,
      source: route.source,
      sourceChannelId: route.sourceChannelId,
      contentType: 'application/json',
      body: Buffer.from('{}'),
      state: 'applied',
      error: null,
      receivedAt,
    },
    inbound: events.map((event) => ({ route, event, receivedAt, rawEventId: id })),
  };
}

const short = (...batch: Prepared[]) => takePlain(engine.database, batch);
const long = (...events: InboundEvent[]) =>
  engine.database.transaction((client) =>
    applyInbound(
      client,
      prepared(...events).inbound.map((inbound) => ({ ...inbound, event: structuredClone(inbound.event) })),
    ),
  );

async function known(): Promise<string> {
  const person = `+${randomUUID()}`;
  await long(text(person, 'first'));
  return person;
}

async function stateOf(person: string): Promise<unknown> {
  const { rows } = await engine.database.query(
    `select m.provider_id, m.state, m.direction, m.content, m.payload, m.metadata, m.sent_at, c.unread_count, c.last_message_at,
       c.last_inbound_at, c.window_expires_at, c.state as conversation_state, l.provider_id as last,
       (select array_agg(e.type || ' ' || e.data::text order by e.seq) from events e where e.message_id = m.id) as events
     from messages m join conversations c on c.id = m.conversation_id join identities i on i.contact_id = m.contact_id
       join messages l on l.id = c.last_message_id
     where i.value = $1 order by m.provider_id`,
    [person],
  );
  return JSON.parse(JSON.stringify(rows).replaceAll(person, 'somebody'));
}

async function isKept({ row }: Prepared): Promise<boolean> {
  const { rows } = await engine.database.query(`select 1 from raw_events where id = $1 and state = 'applied' and applied_at is not null`, [
    row.id,
  ]);
  return rows.length === 1;
}

describe('the short way', () => {
  it('ends where the long way ends', async () => {
    const [one, other] = [await known(), await known()];
    const story = (person: string) => [
      text(person, 'second', { sentAt: new Date(Date.UTC(2026, 0, 3)), facts: { forwarded: true } }),
      text(person, 'third', { sentAt: new Date(Date.UTC(2026, 0, 2)), automatic: true }),
      text(person, 'fourth', { sentAt: new Date(Date.UTC(2026, 0, 4)), opensWindow: false }),
    ];
    const raw = prepared(...story(one));
    expect(await short(raw)).toEqual([]);
    expect(await isKept(raw)).toBe(true);
    await long(...story(other));
    expect(await stateOf(one)).toEqual(await stateOf(other));
  });

  it('opens a closed conversation again, and stores what comes twice once', async () => {
    const person = await known();
    await engine.database.query(
      `update conversations set state = 'CLOSED' where contact_id = (select contact_id from identities where value = $1)`,
      [person],
    );
    const again = text(person, 'again');
    expect(await short(prepared(again), prepared(again))).toEqual([]);
    expect(await short(prepared(again))).toEqual([]);
    const rows = (await stateOf(person)) as { provider_id: string; conversation_state: string; unread_count: number; events: string[] }[];
    expect(rows.map((row) => row.provider_id)).toEqual(['somebody-again', 'somebody-first']);
    expect(rows[0]).toMatchObject({ conversation_state: 'OPEN', unread_count: 2 });
    expect(rows[0]!.events).toHaveLength(1);
  });

  it('leaves people and conversations that are new, and takes the others of the batch', async () => {
    const person = await known();
    const stranger = prepared(text(`+${randomUUID()}`, 'hello'));
    const plain = prepared(text(person, 'hello'));
    expect(await short(stranger, plain)).toEqual([stranger]);
    expect(await isKept(plain)).toBe(true);
    expect(await isKept(stranger)).toBe(false);
  });

  it('takes a raw event whole or not at all', async () => {
    const person = await known();
    const both = prepared(text(person, 'mine'), text(`+${randomUUID()}`, 'hers'));
    expect(await short(both)).toEqual([both]);
    expect(await isKept(both)).toBe(false);
    expect(await stateOf(person)).toHaveLength(1);
  });

  it('leaves a person with an address that is new, and addresses of two people', async () => {
    const [one, other] = [await known(), await known()];
    const told = (values: string[]) => ({ contact: { identities: values.map((value) => ({ kind: KIND, value })) } });
    const gained = prepared(text(one, 'more', told([one, `+${randomUUID()}`])));
    const mixed = prepared(text(one, 'both', told([one, other])));
    expect(await short(gained, mixed)).toEqual([gained, mixed]);
    await long(...gained.inbound.map(({ event }) => event));
    expect(await short(prepared(text(one, 'known by both', told(addressesOf(gained)))))).toEqual([]);
  });

  it('leaves a message that names a person who had no name', async () => {
    const person = await known();
    const named = prepared(text(person, 'my name', { contact: { identities: [{ kind: KIND, value: person }], name: 'Ann' } }));
    expect(await short(named)).toEqual([named]);
    await long(named.inbound[0]!.event);
    const again = text(person, 'again', { contact: { identities: [{ kind: KIND, value: person }], name: 'Ann' } });
    expect(await short(prepared(again))).toEqual([]);
  });

  it('leaves a message that a receipt waits for', async () => {
    const person = await known();
    await long({ kind: 'reaction', target: `${person}-late`, contact: text(person, '').contact, by: 'contact', emoji: '👍', payload: 1 });
    const late = prepared(text(person, 'late'));
    expect(await short(late)).toEqual([late]);
  });

  it('leaves whatever is not plain, with all that its writer says in the same batch', async () => {
    const [person, other] = [await known(), await known()];
    const answer = prepared(text(person, 'answer', { replyTo: `${person}-first` }));
    const behind = prepared(text(person, 'behind'));
    const elsewhere = prepared(text(other, 'elsewhere'));
    const picture = prepared(text(other, 'picture', { content: { type: 'image', media: { url: 'https://shop.example/a.png' } } as never }));
    const receipt = prepared({ kind: 'receipt', providerId: 'unknown', state: 'read' });
    expect(await short(answer, behind, receipt, elsewhere)).toEqual([answer, behind, receipt]);
    expect(await short(picture)).toEqual([picture]);
  });
});

function addressesOf({ inbound }: Prepared): string[] {
  return (inbound[0]!.event as MessageEvent).contact.identities.map(({ value }) => value);
}
