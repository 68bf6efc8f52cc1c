import { describe, expect, it } from 'vitest';
import type { ProviderTemplate } from '../../../src/connectors/connector.ts';
import { bodyOf } from '../../../src/connectors/meta/whatsapp/body.ts';
import { whatsapp } from '../../../src/connectors/meta/whatsapp/index.ts';
import { withExamples } from '../../../src/connectors/meta/whatsapp/placeholders.ts';
import { render } from '../../../src/connectors/meta/whatsapp/render.ts';
import { templateOf } from '../../../src/connectors/meta/whatsapp/template-content.ts';
import type { Content, TemplateComponent } from '../../../src/model/content.ts';
import { exampleRequests, hasEvidence } from './support.ts';

function stored(components: unknown[], more: Partial<ProviderTemplate> = {}): ProviderTemplate {
  return { name: 'order', language: 'en_US', status: 'APPROVED', components, ...more };
}
function rendered(components: unknown[], values: TemplateComponent[], more?: Partial<ProviderTemplate>) {
  return render(stored(components, more), { type: 'template', name: 'order', language: 'en_US', components: values });
}
const texts = (...values: string[]) => values.map((text) => ({ type: 'text' as const, text }));
const BODY = { type: 'BODY', text: 'Hi {{1}}, order {{2}} for {{1}}' };

describe('rendering a template', () => {
  it('fills in what fits', () => {
    const components = [{ type: 'HEADER', format: 'TEXT', text: 'Order {{1}}' }, BODY, { type: 'FOOTER', text: 'Bye' }];
    const values: TemplateComponent[] = [
      { type: 'header', parameters: texts('7') },
      { type: 'body', parameters: texts('Ada', '7') },
    ];
    expect(rendered(components, values)).toEqual({ problems: [], text: 'Order 7\nHi Ada, order 7 for Ada\nBye' });
  });

  it('takes named values in any order', () => {
    const components = [{ type: 'BODY', text: 'Hi {{first_name}}, {{order_id}}' }];
    const named = (name: string, text: string) => ({ type: 'text' as const, name, text });
    expect(rendered(components, [{ type: 'body', parameters: [named('order_id', '7'), named('first_name', 'Ada')] }])).toEqual({
      problems: [],
      text: 'Hi Ada, 7',
    });
    expect(rendered(components, [{ type: 'body', parameters: [named('order_id', '7'), named('x', 'y')] }]).problems).toEqual([
      'The body has no placeholder {{x}}',
      'The body’s value for {{first_name}} is missing',
    ]);
    expect(rendered(components, [{ type: 'body', parameters: texts('a') }]).problems[0]).toBe(
      'The body’s values need names: first_name, order_id',
    );
  });

  it('takes amounts and dates by their fallback', () => {
    const parameters = [
      { type: 'text' as const, text: 'Ada' },
      { type: 'currency' as const, value: { fallback_value: '$1', code: 'USD', amount_1000: 1000 } },
    ];
    expect(rendered([BODY], [{ type: 'body', parameters }])).toEqual({ problems: [], text: 'Hi Ada, order $1 for Ada' });
  });

  it.each([
    [[BODY], [{ type: 'body', parameters: texts('Ada') }], 'The body takes 2 values, and 1 given'],
    [[BODY], [], 'The body takes 2 values, and 0 given'],
    [[BODY], [{ type: 'body', parameters: texts('Ada', '') }], 'The body’s value 2 is empty'],
    [[BODY], [{ type: 'body', parameters: texts('Ada', 'a\nb') }], 'line break'],
    [[BODY], [{ type: 'body', parameters: texts('Ada', 'x'.repeat(1100)) }], '1024 are allowed'],
    [
      [BODY],
      [
        { type: 'header', parameters: texts('x') },
        { type: 'body', parameters: texts('a', 'b') },
      ],
      'The template has no header',
    ],
    [[{ type: 'HEADER', format: 'IMAGE' }], [], 'The header needs one image'],
    [
      [{ type: 'HEADER', format: 'IMAGE' }],
      [{ type: 'header', parameters: [{ type: 'video', media: { id: 'x' } }] }],
      'The header needs one image, and video is given',
    ],
    [
      [{ type: 'HEADER', format: 'DOCUMENT' }],
      [{ type: 'header', parameters: [{ type: 'document' }] }],
      'The header’s document is missing',
    ],
    [[{ type: 'HEADER', format: 'LOCATION' }], [], 'The header needs one location'],
    [[{ type: 'BUTTONS', buttons: [{ type: 'URL', text: 'Go', url: 'https://x/{{1}}' }] }], [], 'Button 1 (Go) needs a value'],
    [
      [{ type: 'BUTTONS', buttons: [{ type: 'COPY_CODE' }] }],
      [{ type: 'button', subType: 'copy_code', index: 0, parameters: texts('x') }],
      'Button 1 (COPY_CODE) takes coupon_code, not text',
    ],
    [
      [{ type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'A' }] }],
      [{ type: 'button', subType: 'url', index: 0, parameters: texts('x') }],
      'is of the kind quick_reply, not url',
    ],
    [
      [{ type: 'BUTTONS', buttons: [{ type: 'PHONE_NUMBER', text: 'Call' }] }],
      [{ type: 'button', index: 0, parameters: texts('x') }],
      'Button 1 (Call) takes no value',
    ],
    [[{ type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY' }] }], [{ type: 'button', index: 3 }], 'The template has no button 4; it has 1'],
    [[], [{ type: 'button', index: 0 }], 'The template has no button 1'],
    [[{ type: 'CAROUSEL', cards: [{ components: [BODY] }] }], [], 'The carousel has 1 card, and 0 given'],
    [
      [{ type: 'CAROUSEL', cards: [{ components: [BODY] }] }],
      [{ type: 'carousel', cards: [{ index: 0, components: [{ type: 'body', parameters: texts('a') }] }] }],
      'Card 1: The body takes 2 values, and 1 given',
    ],
  ] as [unknown[], TemplateComponent[], string][])('%j with %j', (components, values, problem) => {
    expect(rendered(components, values).problems.join('; ')).toContain(problem);
  });

  it('says when a template cannot be sent', () => {
    expect(rendered([], [], { status: 'PAUSED' }).problems).toEqual(['The template order (en_US) is PAUSED, not APPROVED']);
  });

  it('takes buttons and cards that fit', () => {
    const buttons = {
      type: 'BUTTONS',
      buttons: [
        { type: 'QUICK_REPLY', text: 'A' },
        { type: 'URL', text: 'B', url: 'https://x/{{1}}' },
        { type: 'FLOW', text: 'C' },
      ],
    };
    const values: TemplateComponent[] = [
      { type: 'button', subType: 'quick_reply', index: 0, parameters: [{ type: 'payload', text: 'P' }] },
      { type: 'button', subType: 'url', index: 1, parameters: texts('x') },
    ];
    expect(rendered([buttons], values).problems).toEqual([]);
    const card = {
      components: [
        { type: 'HEADER', format: 'IMAGE' },
        { type: 'BODY', text: 'Card {{1}}' },
      ],
    };
    const header: TemplateComponent = { type: 'header', parameters: [{ type: 'image', media: { url: 'https://x' } }] };
    const carousel: TemplateComponent = {
      type: 'carousel',
      cards: [{ index: 0, components: [header, { type: 'body', parameters: texts('1') }] }],
    };
    expect(rendered([{ type: 'CAROUSEL', cards: [card] }], [carousel])).toEqual({ problems: [], text: 'Card 1' });
  });

  it('knows codes that Meta words itself, offers that end, and products', () => {
    const code = [
      { type: 'BODY', add_security_recommendation: true },
      { type: 'BUTTONS', buttons: [{ type: 'OTP', otp_type: 'COPY_CODE', text: 'Copy' }] },
    ];
    const codes: TemplateComponent[] = [
      { type: 'body', parameters: texts('1234') },
      { type: 'button', subType: 'url', index: 0, parameters: texts('1234') },
    ];
    expect(rendered(code, codes)).toEqual({ problems: [], text: '1234' });
    expect(rendered(code, []).problems).toEqual(['The body takes 1 value, and 0 given', 'Button 1 (Copy) needs a value']);

    const offer = [{ type: 'LIMITED_TIME_OFFER', limited_time_offer: { text: 'Soon over', has_expiration: true } }];
    const ends: TemplateComponent = {
      type: 'limited_time_offer',
      parameters: [{ type: 'limited_time_offer', value: { expiration_time_ms: 1_900_000_000_000 } }],
    };
    expect(rendered(offer, [ends]).problems).toEqual([]);
    expect(rendered(offer, []).problems).toEqual(['The offer’s end (limited_time_offer, expiration_time_ms) is missing']);

    const product: TemplateComponent = { type: 'header', parameters: [{ type: 'product', value: { product_retailer_id: '1' } }] };
    expect(rendered([{ type: 'HEADER', format: 'PRODUCT' }], [product]).problems).toEqual([]);
    expect(rendered([{ type: 'HEADER', format: 'PRODUCT' }], []).problems).toEqual(['The header needs one product']);
  });

  it.skipIf(!hasEvidence)('reads the template messages of Meta’s own examples, and writes them again as they were', () => {
    const examples = Object.entries(exampleRequests('/{Version}/{Phone-Number-ID}/messages', 'post')).filter(
      // One of them has `true` for a text.
      ([title, { type }]) => type === 'template' && !title.includes('Issue Resolution'),
    );
    expect(examples.length).toBeGreaterThan(5);
    for (const [title, { template }] of examples) {
      const content = templateOf(template);
      const link = (ref: { url?: string }) => ({ link: ref.url ?? '' });
      const written = bodyOf({ id: 'x', to: [{ kind: 'phonenumber', value: '+1' }], content }, link).template as any;
      const components = template.components?.map((component: any) => ({
        ...component,
        ...(component.sub_type ? { sub_type: component.sub_type.toLowerCase(), index: String(component.index) } : {}),
      }));
      expect([title, written.components]).toEqual([title, components]);
    }
  });

  it.skipIf(!hasEvidence)('finds the examples in all of Meta’s own templates, and adds none where there is one', () => {
    const bodies = Object.values(exampleRequests('/{Version}/{WABA-ID}/message_templates', 'post')).filter(({ components }) =>
      Array.isArray(components),
    );
    expect(bodies.length).toBeGreaterThan(5);
    for (const { components } of bodies) {
      const complete = withExamples(components);
      complete.forEach((component, index) => {
        if (components[index].example) expect(component.example).toEqual(components[index].example);
        if (/\{\{/.test(String(component.text ?? ''))) expect(component.example).toBeDefined();
      });
    }
  });
});

describe('limits that go beyond lengths', () => {
  const problems = (content: Content) => whatsapp.check!(content, {} as never);
  it.each([
    [
      {
        type: 'choices',
        text: 'x',
        choices: [
          { id: 'a', title: 'A' },
          { id: 'a', title: 'B' },
        ],
      },
      'The button id “a” is used twice',
    ],
    [{ type: 'choices', text: 'x', choices: [{ id: 'a'.repeat(257), title: 'A' }] }, 'longer than 256'],
    [{ type: 'choices', text: 'x', header: 'h', media: { id: 'm' }, choices: [{ id: 'a', title: 'A' }] }, 'not both'],
    [{ type: 'list', text: 'x', button: 'b', sections: [{ rows: [{ id: 'a'.repeat(201), title: 'A' }] }] }, 'longer than 200'],
    [{ type: 'list', text: 'x', button: 'b', sections: [{ rows: [] }, { title: 'T', rows: [] }] }, 'each needs a title'],
    [{ type: 'contacts', contacts: [] }, 'no contact'],
    [{ type: 'template', name: 'Not OK', language: '', components: [] }, 'no template name'],
  ] as [Content, string][])('%j', (content, problem) => {
    expect(problems(content).join('; ')).toContain(problem);
  });
  it('lets through what is right', () => {
    expect(problems({ type: 'text', text: 'x' })).toEqual([]);
    expect(
      problems({
        type: 'choices',
        text: 'x',
        choices: [
          { id: 'a', title: 'A' },
          { id: 'b', title: 'B' },
        ],
      }),
    ).toEqual([]);
  });
});
