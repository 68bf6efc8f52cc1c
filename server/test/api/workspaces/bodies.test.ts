import fc from 'fast-check';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { describe, expect, it } from 'vitest';
import { contentOf, type MediaAddresses } from '../../../src/api/workspaces/bodies.ts';
import { bodyOf } from '../../../src/api/workspaces/bodies-show.ts';
import { MessageBody } from '../../../src/api/workspaces/schemas/body.ts';
import type { Content, TemplateComponent } from '../../../src/model/content.ts';

const media: MediaAddresses = {
  idOf: (url) => /^https:\/\/files\.test\/(.+)$/.exec(url)?.[1],
  urlOf: (id) => `https://files.test/${id}`,
};
const isBody = Compile(Type.Object({ body: MessageBody }));

const text = fc.string({ minLength: 1, maxLength: 60 });
const short = fc.string({ minLength: 1, maxLength: 20 });
const url = fc.webUrl({ validSchemes: ['https'] });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const file = (mimeType: fc.Arbitrary<string>) =>
  fc.oneof(fc.record({ id: fc.uuid(), mimeType }), fc.record({ url, mimeType }), fc.record({ url, mimeType, filename: short }));
const caption = { caption: optional(text) };
const action = fc.oneof(
  fc.record({ type: fc.constant('reply' as const), text: short, payload: short }),
  fc.record({ type: fc.constant('url' as const), text: short, url }),
  fc.record({ type: fc.constant('call' as const), text: short, phone: short }),
  fc.record({ type: fc.constant('location' as const), text: short, request: fc.constant(true) }),
);

const contents: Record<string, fc.Arbitrary<Content>> = {
  text: fc.record({ type: fc.constant('text' as const), text }),
  image: fc.record({
    type: fc.constant('image' as const),
    media: fc.oneof(fc.record({ id: fc.uuid() }), fc.record({ url, mimeType: fc.constant('image/png') })),
    ...caption,
  }),
  video: fc.record({ type: fc.constant('video' as const), media: file(fc.constant('video/mp4')), ...caption }),
  audio: fc.record({ type: fc.constant('audio' as const), media: file(fc.constant('audio/ogg')), ...caption }),
  file: fc.record({ type: fc.constant('file' as const), media: file(fc.constant('application/pdf')), ...caption }),
  location: fc.record({
    type: fc.constant('location' as const),
    latitude: fc.double({ min: -90, max: 90, noNaN: true }),
    longitude: fc.double({ min: -180, max: 180, noNaN: true }),
    name: optional(text),
    address: optional(text),
  }),
  choices: fc.record({
    type: fc.constant('choices' as const),
    text,
    choices: fc.array(fc.record({ id: short, title: short }), { minLength: 1, maxLength: 10 }),
  }),
  list: fc.record({
    type: fc.constant('list' as const),
    text,
    header: optional(text),
    footer: optional(text),
    button: short,
    sections: fc.uniqueArray(
      fc.record({ title: short, rows: fc.array(fc.record({ id: short, title: short }), { minLength: 1, maxLength: 4 }) }),
      { minLength: 1, maxLength: 4, selector: (section) => section.title },
    ),
  }),
  cards: fc.record({
    type: fc.constant('cards' as const),
    text: optional(text),
    cards: fc.array(fc.record({ title: short, text: optional(text), actions: fc.array(action, { minLength: 1, maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 5,
    }),
  }),
  template: fc.record({
    type: fc.constant('template' as const),
    name: short,
    language: fc.constantFrom('en', 'de', 'pt_BR'),
    components: fc.constant<TemplateComponent[]>([{ type: 'body', parameters: [{ type: 'text', text: 'x' }] }]),
  }),
};

const withoutUndefined = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

describe('message bodies', () => {
  for (const [type, arbitrary] of Object.entries(contents)) {
    it(`${type}: there and back is the same, and a body that the schema accepts`, () => {
      fc.assert(
        fc.property(arbitrary, (content) => {
          const body = bodyOf(withoutUndefined(content) as Content, media);
          expect([...isBody.Errors({ body })]).toEqual([]);
          expect(withoutUndefined(contentOf(body, media))).toEqual(withoutUndefined(content));
        }),
      );
    });
  }

  it('a mail is a mail on mail channels, whatever the body was', () => {
    const target = { email: true, subject: 'From meta' };
    expect(contentOf({ type: 'text', text: { text: 'Hello', metadata: { subject: 'Own' } } }, media, target)).toEqual({
      type: 'email',
      subject: 'Own',
      text: 'Hello',
    });
    expect(contentOf({ type: 'html', html: { html: '<p>Hi</p>', text: 'Hi' } }, media, target)).toEqual({
      type: 'email',
      subject: 'From meta',
      text: 'Hi',
      html: '<p>Hi</p>',
    });
    const files = [{ mediaUrl: 'https://files.test/f1', contentType: 'application/pdf', filename: 'a.pdf' }];
    expect(contentOf({ type: 'file', file: { files } }, media, target)).toMatchObject({
      attachments: [{ id: 'f1', mimeType: 'application/pdf', filename: 'a.pdf' }],
    });
  });

  it('our own addresses are stored files, the others stay addresses', () => {
    expect(contentOf({ type: 'image', image: { images: [{ mediaUrl: 'https://files.test/f1' }] } }, media)).toEqual({
      type: 'image',
      media: { id: 'f1' },
    });
    expect(contentOf({ type: 'image', image: { images: [{ mediaUrl: 'https://a.test/b.png' }] } }, media)).toEqual({
      type: 'image',
      media: { url: 'https://a.test/b.png' },
    });
  });

  it('names the field that is missing or cannot be', () => {
    const fieldOf = (body: unknown) => {
      try {
        contentOf(body as MessageBody, media);
      } catch (error) {
        return (error as { problems: { field: string }[] }).problems[0]?.field;
      }
    };
    expect(fieldOf({ type: 'text' })).toBe('body.text');
    expect(fieldOf({ type: 'image', image: { images: [{ mediaUrl: 'https://a.test/1' }, { mediaUrl: 'https://a.test/2' }] } })).toBe(
      'body.image.images',
    );
    expect(fieldOf({ type: 'section' })).toBe('body.type');
    expect(fieldOf({ type: 'text', text: { text: 'x', actions: [{ type: 'link' }] } })).toBe('body.actions.link');
  });

  it('numbered template values come in the order of their numbers', () => {
    const template = {
      name: 'hello',
      locale: 'en',
      parameters: [
        { type: 'string', key: '2', value: 'two' },
        { type: 'string', key: '1', value: 'one' },
        { type: 'image', key: 'header', value: 'https://a.test/i.png' },
      ],
    };
    expect(contentOf({ type: 'template', template }, media)).toEqual({
      type: 'template',
      name: 'hello',
      language: 'en',
      components: [
        { type: 'header', parameters: [{ type: 'image', media: { url: 'https://a.test/i.png' } }] },
        {
          type: 'body',
          parameters: [
            { type: 'text', text: 'one' },
            { type: 'text', text: 'two' },
          ],
        },
      ],
    });
  });
});
