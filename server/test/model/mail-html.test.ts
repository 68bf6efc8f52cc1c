import fc from 'fast-check';
import { Parser } from 'htmlparser2';
import { describe, expect, it } from 'vitest';
import { sanitizeMailHtml } from '../../src/model/mail-html.ts';
import { HOSTILE } from '../connectors/email/hostile.ts';

const HARMLESS = new Set(
  'a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p pre q s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul wbr'.split(
    ' ',
  ),
);

/** What a browser's parser would find in the HTML and should not. */
function dangers(html: string): string[] {
  const found: string[] = [];
  const parser = new Parser({
    onopentag(tag, attributes) {
      if (!HARMLESS.has(tag)) found.push(tag);
      for (const [name, value] of Object.entries(attributes)) {
        if (/^(?:on.*|id|name|class|srcset|background|action|srcdoc|formaction)$/.test(name)) found.push(`${tag} ${name}`);
        if (name === 'href' && !/^(?:https?:\/\/|mailto:|tel:)/i.test(value)) found.push(`${tag} ${name}=${value}`);
        if (name === 'src' && !/^data:image\/(?:png|jpe?g|gif|webp);/i.test(value)) found.push(`${tag} ${name}=${value}`);
        if (name === 'style' && /url\(|expression|position|z-index|\\|-\d/i.test(value)) found.push(`${tag} ${name}=${value}`);
      }
    },
    oncomment: () => found.push('comment'),
    onprocessinginstruction: (name) => found.push(name),
  });
  parser.end(html);
  return found;
}

describe('hostile HTML', () => {
  it.each(HOSTILE.map((html) => [html]))('%s does nothing', (html) => {
    expect(dangers(sanitizeMailHtml(html).html)).toEqual([]);
  });

  it('all of it at once, nested', () => {
    expect(dangers(sanitizeMailHtml(HOSTILE.join('<div>').repeat(3)).html)).toEqual([]);
  });

  it('whatever comes', () => {
    const piece = fc.oneof(
      fc.constantFrom(...HOSTILE),
      fc.string({ maxLength: 30 }),
      fc.constantFrom('<', '>', '"', "'", '&lt;', '<!--', '-->', '<a href=', '\0', '<![CDATA['),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        expect(dangers(sanitizeMailHtml(pieces.join('')).html)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('deep nesting ends', () => {
    expect(sanitizeMailHtml('<div>'.repeat(50_000)).html.length).toBeLessThan(2_000_000);
  });
});

describe('what a reader needs stays', () => {
  it('blocks remote images until asked', () => {
    const html = '<p>Hi<img src="https://news.example/t.gif" width="1"></p>';
    expect(sanitizeMailHtml(html)).toEqual({ html: '<p>Hi<img width="1" data-src="https://news.example/t.gif" /></p>', blockedImages: 1 });
    expect(sanitizeMailHtml(html, { remoteImages: true })).toEqual({
      html: '<p>Hi<img width="1" src="https://news.example/t.gif" /></p>',
      blockedImages: 0,
    });
  });

  it('colours what is coloured by the shorthand, and fetches nothing with it', () => {
    const styleOf = (style: string) => /style="([^"]*)"/.exec(sanitizeMailHtml(`<a style="${style}">x</a>`).html)?.[1];
    for (const value of ['#070', 'white none repeat scroll 0% 0%', 'rgba(0, 119, 0, 0.5)']) {
      expect(styleOf(`background:${value};color:#fff`)).toBe(`background:${value};color:#fff`);
    }
    for (const value of ['url(//evil.example)', '#fff url(//evil.example)', '#fff image-set(&quot;//evil.example&quot;)', 'u\\72l(x)']) {
      expect(styleOf(`background:${value};color:#fff`)).toBe('color:#fff');
    }
  });

  it('serves inline images from where they are', () => {
    const inline = (contentId: string) => (contentId === 'logo@x' ? '/media/7' : undefined);
    expect(sanitizeMailHtml('<img src="cid:logo@x"><img src="cid:none">', { inline }).html).toBe('<img src="/media/7" /><img />');
  });

  it('opens links outside', () => {
    expect(sanitizeMailHtml('<a href="https://x.example/?a=1&amp;b=2">x</a>').html).toBe(
      '<a href="https://x.example/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer nofollow">x</a>',
    );
  });

  it('keeps tables, colours and line breaks', () => {
    const html =
      '<table width="600" cellpadding="0"><tbody><tr><td style="color:#ff0000;padding:4px 8px" align="center">A<br />B</td></tr></tbody></table>';
    expect(sanitizeMailHtml(html).html).toBe(html);
  });
});
