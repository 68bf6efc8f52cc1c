/**
 * A mail's HTML made safe to show: no script, no form, no style that could leave its frame, no request to a stranger's
 * server until the reader asks for images. Inline images get the addresses that they are served from.
 */
import sanitize from 'sanitize-html';

export interface SafeHtml {
  html: string;
  /** How many images of other servers wait in `data-src` to be asked for. */
  blockedImages: number;
}

export interface SanitizeOptions {
  /** Where an inline image is served: its Content-ID (without brackets) → address. */
  inline?: (contentId: string) => string | undefined;
  /** The reader asked for the images of other servers. */
  remoteImages?: boolean;
}

const MAX_DEPTH = 100;

const TAGS = [
  ...['a', 'abbr', 'address', 'article', 'aside', 'b', 'bdi', 'bdo', 'big', 'blockquote', 'br', 'caption', 'center', 'cite', 'code', 'col'],
  ...['colgroup', 'dd', 'del', 'details', 'dfn', 'div', 'dl', 'dt', 'em', 'figcaption', 'figure', 'font', 'footer', 'h1', 'h2', 'h3', 'h4'],
  ...['h5', 'h6', 'header', 'hr', 'i', 'img', 'ins', 'kbd', 'li', 'main', 'mark', 'ol', 'p', 'pre', 'q', 's', 'samp', 'section', 'small'],
  ...[
    'span',
    'strike',
    'strong',
    'sub',
    'summary',
    'sup',
    'table',
    'tbody',
    'td',
    'tfoot',
    'th',
    'thead',
    'time',
    'tr',
    'tt',
    'u',
    'ul',
    'wbr',
  ],
];

/** No `url(`, no escapes that could hide one, no functions but colours. */
const PLAIN = /^(?!.*(?:url|expression|image|attr|var|env)\s*\()[^\\<>{}@]{0,200}$/i;
/** A colour and plain words behind it (`#fff none repeat`): the shorthand that most newsletters colour their buttons with. */
const BACKGROUND = /^(?:#[\da-f]{3,8}|[a-z]{3,24}|(?:rgb|hsl)a?\([\d\s.,%/]{1,60}\))(?:\s+[a-z\d%-]{1,20}){0,8}$/i;
const LENGTH =
  /^(?:auto|0|-?[\d.]{1,7}(?:px|pt|em|rem|ex|ch|%|cm|mm|in|pc)?)(?:\s+(?:auto|0|-?[\d.]{1,7}(?:px|pt|em|rem|ex|ch|%|cm|mm|in|pc)?)){0,3}$/i;
const POSITIVE =
  /^(?:auto|0|[\d.]{1,7}(?:px|pt|em|rem|ex|ch|%|cm|mm|in|pc)?)(?:\s+(?:auto|0|[\d.]{1,7}(?:px|pt|em|rem|ex|ch|%|cm|mm|in|pc)?)){0,3}$/i;

const STYLES: Record<string, RegExp[]> = {
  ...Object.fromEntries(
    [
      ...[
        'color',
        'background-color',
        'font-family',
        'font-weight',
        'font-style',
        'font-variant',
        'text-align',
        'text-decoration',
        'text-transform',
      ],
      ...[
        'vertical-align',
        'white-space',
        'border',
        'border-top',
        'border-right',
        'border-bottom',
        'border-left',
        'border-color',
        'border-style',
      ],
      ...['border-collapse', 'list-style-type', 'direction', 'word-break', 'overflow-wrap', 'table-layout', 'caption-side'],
    ].map((name) => [name, [PLAIN]]),
  ),
  ...Object.fromEntries(
    [
      ...[
        'font-size',
        'line-height',
        'letter-spacing',
        'width',
        'height',
        'max-width',
        'min-width',
        'max-height',
        'min-height',
        'border-width',
      ],
      ...['border-radius', 'border-spacing', 'padding', 'padding-top', 'padding-right', 'padding-bottom', 'padding-left'],
    ].map((name) => [name, [POSITIVE]]),
  ),
  ...Object.fromEntries(
    ['text-indent', 'margin', 'margin-top', 'margin-right', 'margin-bottom', 'margin-left'].map((name) => [name, [notNegative(LENGTH)]]),
  ),
  background: [BACKGROUND],
  display: [/^(?:block|inline|inline-block|none|table|table-row|table-cell|list-item)$/i],
};

/** Negative margins pull a mail's text over the page around it. */
function notNegative(pattern: RegExp): RegExp {
  return new RegExp(pattern.source.replaceAll('-?', ''), pattern.flags);
}

const TABLE = [
  'align',
  'valign',
  'width',
  'height',
  'bgcolor',
  'border',
  'cellpadding',
  'cellspacing',
  'colspan',
  'rowspan',
  'nowrap',
  'summary',
];

/** Cleans a mail's HTML. Takes anything; never throws for what the HTML holds. */
export function sanitizeMailHtml(html: string, options: SanitizeOptions = {}): SafeHtml {
  let blockedImages = 0;
  const safe = sanitize(html.replaceAll('\0', ''), {
    allowedTags: TAGS,
    disallowedTagsMode: 'discard',
    nonTextTags: [
      'script',
      'style',
      'textarea',
      'option',
      'noscript',
      'title',
      'template',
      'iframe',
      'object',
      'svg',
      'math',
      'xmp',
      'noembed',
      'noframes',
      'select',
    ],
    nestingLimit: MAX_DEPTH,
    allowedAttributes: {
      '*': ['style', 'dir', 'lang', 'title', 'align'],
      a: ['href', 'target', 'rel'],
      img: ['src', 'data-src', 'alt', 'width', 'height', 'border', 'hspace', 'vspace'],
      font: ['color', 'face', 'size'],
      ...Object.fromEntries(['table', 'tbody', 'thead', 'tfoot', 'tr', 'td', 'th', 'col', 'colgroup'].map((tag) => [tag, TABLE])),
      ol: ['start', 'type'],
      ul: ['type'],
      time: ['datetime'],
      details: ['open'],
    },
    allowedStyles: { '*': STYLES },
    allowedSchemes: ['http', 'https', 'mailto', 'tel'],
    allowedSchemesByTag: { img: ['http', 'https', 'data'] },
    allowedSchemesAppliedToAttributes: ['href', 'src', 'data-src'],
    allowProtocolRelative: false,
    transformTags: {
      a: (tagName, attribs) => ({ tagName, attribs: linkOf(attribs) }),
      img: (tagName, attribs) => {
        const { src, ...rest } = without(attribs, ['srcset', 'data-src']);
        const image = sourceOf(src ?? '', options);
        if (image.blocked) blockedImages += 1;
        return { tagName, attribs: { ...rest, ...image.attribs } };
      },
    },
  });
  return { html: safe, blockedImages };
}

/** Links lead out, in a window of their own; relative ones would lead into whatever page shows the mail. */
function linkOf(attribs: Record<string, string>): Record<string, string> {
  const { href, ...rest } = without(attribs, ['target', 'rel']);
  const leadsOut = /^\s*(?:https?:\/\/|mailto:|tel:)/i.test(href ?? '');
  return { ...rest, ...(leadsOut ? { href: href!.trim() } : {}), target: '_blank', rel: 'noopener noreferrer nofollow' };
}

function sourceOf(src: string, options: SanitizeOptions): { attribs: Record<string, string>; blocked: boolean } {
  const value = src.trim();
  const contentId = /^cid:(.+)$/i.exec(value)?.[1];
  if (contentId !== undefined) {
    const url = options.inline?.(decoded(contentId));
    return { attribs: url ? { src: url } : {}, blocked: false };
  }
  if (/^data:image\/(?:png|jpe?g|gif|webp);base64,[a-z0-9+/=\s]*$/i.test(value)) return { attribs: { src: value }, blocked: false };
  if (!/^https?:\/\//i.test(value)) return { attribs: {}, blocked: false };
  return options.remoteImages ? { attribs: { src: value }, blocked: false } : { attribs: { 'data-src': value }, blocked: true };
}

function decoded(contentId: string): string {
  try {
    return decodeURIComponent(contentId);
  } catch {
    return contentId;
  }
}

function without(attribs: Record<string, string>, names: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(attribs).filter(([name]) => !names.includes(name)));
}
