import fc from 'fast-check';
import { Parser } from 'htmlparser2';
import { describe, expect, it } from 'vitest';
import { sanitizeMailHtml } from '../../../src/connectors/email/sanitize.ts';

const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg/onload=alert(1)><animate onbegin=alert(1)></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<a href="javascript:alert(1)">x</a>',
  '<a href="jAvAsCrIpT&colon;alert(1)">x</a>',
  '<a href=" &#14; javascript:alert(1)">x</a>',
  '<a href="data:text/html,<script>alert(1)</script>">x</a>',
  '<a href="vbscript:x">x</a>',
  '<a href="//evil.example/">x</a>',
  '<a href="/api/v1/delete">x</a>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<object data="x.swf"></object><embed src="x.swf">',
  '<form action="https://evil.example"><input name=password><button>Sign in</button></form>',
  '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  '<base href="https://evil.example/">',
  '<link rel=stylesheet href="https://evil.example/x.css">',
  '<style>@import url(https://evil.example/x.css); body{background:url(https://evil.example/t.gif)}</style>',
  '<div style="background-image:url(https://evil.example/t.gif)">x</div>',
  '<div style="background:url(&quot;https://evil.example/t.gif&quot;)">x</div>',
  '<div style="color:\\75 rl(https://evil.example)">x</div>',
  '<div style="position:fixed;top:0;left:0;width:100%;height:100%;z-index:9999">phish</div>',
  '<div style="margin-top:-500px">over</div>',
  '<div style="width:expression(alert(1))">x</div>',
  '<td background="https://evil.example/t.gif">x</td>',
  '<video src="https://evil.example/v" poster="https://evil.example/p" autoplay></video>',
  '<img srcset="https://evil.example/a 1x" src="https://evil.example/t.gif">',
  '<img src="https://evil.example/t.gif" data-src="javascript:alert(1)">',
  '<img src="data:image/svg+xml;base64,PHN2Zy8+">',
  '<p id="__proto__" name="constructor" class="x">x</p>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<textarea><img src=x onerror=alert(1)></textarea>',
  '<template><script>alert(1)</script></template>',
  '<a href="https://ok.example" onclick="alert(1)" target="_self">x</a>',
  '<!--[if gte mso 9]><script>alert(1)</script><![endif]-->',
  '<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
  '<img """><script>alert(1)</script>">',
  '<<script>alert(1);//<</script>',
];

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
