import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { InboundEvent } from '../../src/connectors/events.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { type Route, routeOf } from '../../src/engine/routes.ts';
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

/** Everything that can happen to two messages of one person, on a clock of whole seconds. */
function story(person: string): InboundEvent[] {
  const contact = { identities: [{ kind: route.connector.identity.kind, value: person }] };
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, second));
  const text = (value: string) => ({ type: 'text' as const, text: value });
  const [a, b] = [`${person}-a`, `${person}-b`];
  return [
    { kind: 'message', direction: 'in', providerId: a, contact, content: text('one'), payload: 1, sentAt: at(1) },
    { kind: 'message', direction: 'out', providerId: b, contact, content: text('two'), payload: 2, sentAt: at(2) },
    { kind: 'edit', target: a, content: text('one!'), at: at(3), payload: 3 },
    { kind: 'edit', target: a, content: text('one?'), at: at(3), payload: 3 },
    { kind: 'edit', target: a, content: text('one!!'), at: at(5), payload: 4 },
    { kind: 'reaction', target: b, contact, by: 'contact', emoji: '👍', at: at(3), payload: 5 },
    { kind: 'reaction', target: b, contact, by: 'contact', emoji: null, at: at(4), payload: 6 },
    { kind: 'reaction', target: b, contact, by: 'contact', emoji: '❤️', at: at(4), payload: 7 },
    { kind: 'reaction', target: a, contact, by: 'us', emoji: '🎉', at: at(6), payload: 8 },
    { kind: 'reaction', target: a, contact, by: 'us', emoji: '😀', at: at(5), payload: 9 },
    { kind: 'revoke', target: a, at: at(9), payload: 10 },
    { kind: 'receipt', providerId: b, state: 'delivered', at: at(3), facts: { price: '0.05' } },
    { kind: 'receipt', providerId: b, state: 'failed', at: at(3), error: { class: 'rejected', message: 'no' }, facts: { tries: 1 } },
    { kind: 'receipt', providerId: b, state: 'read', at: at(4), facts: { device: 'phone' } },
    { kind: 'receipt', upTo: { contact, at: at(8) }, state: 'read' },
  ];
}

async function stateOf(person: string): Promise<unknown> {
  const messages = await engine.database.query(
    `select m.provider_id, m.state, m.content, m.metadata, m.changes, m.error, m.sent_at, m.payload
     from messages m join identities i on i.contact_id = m.contact_id where i.value = $1 order by m.provider_id`,
    [person],
  );
  const conversations = await engine.database.query(
    `select c.unread_count, c.last_message_at, c.last_inbound_at, m.provider_id as last
     from conversations c join identities i on i.contact_id = c.contact_id join messages m on m.id = c.last_message_id where i.value = $1`,
    [person],
  );
  return JSON.parse(JSON.stringify([messages.rows, conversations.rows]).replaceAll(person, 'somebody'));
}

const apply = (events: InboundEvent[]) => engine.ingest.settle(route, structuredClone(events));

describe('applying events', () => {
  it('ends in the same state whatever their order, repetition and batching', async () => {
    const model = `model-${Math.random()}`;
    await apply(story(model));
    const expected = await stateOf(model);
    expect(JSON.stringify(expected)).toContain('one!!');
    const anyOrder = fc
      .array(fc.nat({ max: 14 }), { maxLength: 8 })
      .chain((repeats) => fc.shuffledSubarray([...Array(15).keys(), ...repeats.map((n) => n + 100)], { minLength: 15 + repeats.length }));
    await fc.assert(
      fc.asyncProperty(
        fc.uuid(),
        anyOrder,
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 23, maxLength: 23 }),
        async (person, order, sizes) => {
          const events = story(person);
          const left = order.map((n) => events[n % 100]!);
          for (const size of sizes) if (left.length > 0) await apply(left.splice(0, size));
          // A watermark speaks of what is known when it comes; providers repeat theirs with the next one.
          await apply([events[14]!]);
          expect(await stateOf(person)).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('applies what came for a message before its provider’s id was known', async () => {
    const person = `early-${Math.random()}`;
    await apply(story(person).slice(0, 1));
    const found = await engine.database.query<{ id: string }>('select conversation_id as id from messages where provider_id = $1', [
      `${person}-a`,
    ]);
    const sent = await engine.database.query<{ id: string }>(
      `insert into messages (workspace_id, id, channel_id, conversation_id, contact_id, source, direction, state, content, sent_at)
       select workspace_id, gen_random_uuid(), channel_id, id, contact_id, 'chatplugin', 'out', 'pending', '{"type":"text","text":"x"}', now()
       from conversations where id = $1 returning id`,
      [found.rows[0]!.id],
    );
    const ourId = sent.rows[0]!.id;
    await apply([{ kind: 'receipt', providerId: `${person}-late`, state: 'delivered', at: new Date() }]);
    await apply([{ kind: 'receipt', ourId, providerId: `${person}-late`, state: 'sent' }]);
    const state = await engine.database.query('select state from messages where id = $1', [ourId]);
    expect(state.rows[0]).toEqual({ state: 'delivered' });
  });
});
