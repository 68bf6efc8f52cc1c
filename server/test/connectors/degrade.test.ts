/** What is made simpler fits every source that it is made for: also the limits that only its connector knows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capabilitiesOf } from '../../src/connectors/connector.ts';
import { Registry } from '../../src/connectors/registry.ts';
import type { Action, Card, Content } from '../../src/model/content.ts';
import { degrade, problemsOf } from '../../src/model/degrade.ts';
import { channelOf } from '../support/connector-context-twilio.ts';

const word = fc.string({ minLength: 1, maxLength: 40 });
const media = fc.record({ url: fc.webUrl(), mimeType: fc.constantFrom('image/png', 'image/webp', 'video/mp4') });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ type: fc.constant('reply' as const), text: word, payload: word }),
  fc.record({ type: fc.constant('url' as const), text: word, url: fc.webUrl() }),
  fc.record({ type: fc.constant('call' as const), text: word, phone: fc.constant('+491234567') }),
);
const card: fc.Arbitrary<Card> = fc.record({
  title: maybe(word),
  text: maybe(fc.string({ maxLength: 1100 })),
  media: maybe(media),
  actions: maybe(fc.array(action, { maxLength: 5 })),
});
const choice = fc.record({ id: fc.string({ minLength: 1, maxLength: 300 }), title: word });
const content: fc.Arbitrary<Content> = fc.oneof(
  fc.record({ type: fc.constant('text' as const), text: fc.string({ minLength: 1, maxLength: 2000 }) }),
  fc.record({ type: fc.constantFrom('image' as const, 'video' as const, 'sticker' as const), media, caption: maybe(word) }),
  fc.record({ type: fc.constant('cards' as const), text: maybe(word), cards: fc.array(card, { minLength: 1, maxLength: 4 }) }),
  fc.record({
    type: fc.constant('choices' as const),
    text: word,
    header: maybe(word),
    footer: maybe(word),
    media: maybe(media),
    choices: fc.array(choice, { minLength: 1, maxLength: 6 }),
  }),
  fc.record({
    type: fc.constant('list' as const),
    text: word,
    button: word,
    sections: fc.array(fc.record({ title: maybe(word), rows: fc.array(choice, { minLength: 1, maxLength: 5 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
);

describe.each(['twilio.sms', 'twilio.whatsapp', 'rcs', 'google', 'whatsapp', 'facebook', 'instagram', 'custom'])('%s', (source) => {
  const connector = new Registry().connector(source)!;
  const channel = channelOf({ sourceChannelId: source === 'twilio.sms' ? '+15551230001' : 'x' });
  const capabilities = capabilitiesOf(connector, channel);
  const check = (item: Content) => connector.check?.(item, channel) ?? [];

  it('takes what it is given, in the nearest form, or says why not', () => {
    fc.assert(
      fc.property(content, (item) => {
        const result = degrade(item, capabilities, { check });
        if (result.outcome === 'refused') expect(result.problems.length).toBeGreaterThan(0);
        else expect(problemsOf(result.content, capabilities, { check })).toEqual([]);
        if (result.outcome === 'as-is') expect(result.content).toBe(item);
      }),
    );
  });
});
