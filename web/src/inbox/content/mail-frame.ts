import type { EmailContent } from '../../../../server/src/model/content.ts';

/** What never belongs into a shown mail. The frame's sandbox and policy stop it as well; what is not there cannot slip through. */
const FORBIDDEN = 'script, iframe, frame, frameset, object, embed, applet, base, link, meta, form, input, button, textarea, select, portal';

const ATTRIBUTION_MAX = 300;

const STYLE = `html{height:auto!important}
body>:first-child,body>:first-child>:first-child{margin-top:0}body>:last-child,body>:last-child>:last-child{margin-bottom:0}
body{display:flow-root;margin:0;padding:12px;background:#fff;color:#1b2130;font:14px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
img{max-width:100%;height:auto}img:not([src]){display:none}table{max-width:100%}
blockquote{margin:8px 0;padding-left:12px;border-left:3px solid #d6dae3;color:#5f6779}
summary[data-fold]{width:max-content;padding:0 8px;border-radius:8px;background:#eceef3;color:#4d5566;font:12px/20px system-ui,sans-serif;cursor:pointer}`;

/** True when the mail shows pictures from other people's servers, which tells them that it was opened. */
export function hasRemoteImages(html: string): boolean {
  return /(?:src|background|srcset)\s*=\s*["']?\s*(?:https?:)?\/\//i.test(html);
}

/** True when the mail's own HTML shows the attachment as one of its pictures. */
export function isInline({ contentId, url }: NonNullable<EmailContent['attachments']>[number], html = ''): boolean {
  if (!contentId || !url) return false;
  return html.includes(`cid:${contentId}`) || html.includes(url) || html.includes(url.replaceAll('&', '&amp;'));
}

export interface FramedMail {
  /** The document that the sandboxed frame shows. */
  document: string;
  /** Quoted history was found at its end, and stands behind a fold. */
  folded: boolean;
}

/** The mail's own HTML without anything that acts. `pictures`: those of other people's servers may load. */
export function framedMail(email: Pick<EmailContent, 'html' | 'attachments'>, pictures: boolean): FramedMail {
  const parsed = new DOMParser().parseFromString(email.html ?? '', 'text/html');
  for (const element of parsed.querySelectorAll(FORBIDDEN)) element.remove();
  for (const element of parsed.querySelectorAll('*')) {
    for (const { name, value } of [...element.attributes]) {
      if (name.startsWith('on') || /^\s*(javascript|vbscript|data:text)/i.test(value)) element.removeAttribute(name);
    }
  }
  for (const link of parsed.querySelectorAll('a, area')) {
    link.setAttribute('target', '_blank');
    link.setAttribute('rel', 'noreferrer noopener');
  }
  for (const image of parsed.querySelectorAll('img[src^="cid:"]')) {
    const id = image.getAttribute('src')!.slice('cid:'.length);
    const part = email.attachments?.find(({ contentId }) => contentId === id);
    if (part?.url) image.setAttribute('src', part.url);
  }
  const own = new Set([
    location.origin,
    ...(email.attachments ?? []).flatMap(({ contentId, url }) => (contentId && url ? originOf(url) : [])),
  ]);
  // The server keeps the pictures of others back in `data-src`; whatever it did not is kept back here.
  for (const image of parsed.querySelectorAll('img')) {
    const source = image.getAttribute('src') ?? '';
    const foreign = /^\s*(https?:)?\/\//i.test(source) && !originOf(source).some((origin) => own.has(origin));
    if (foreign) image.setAttribute('data-src', source);
    if (pictures) image.setAttribute('src', image.getAttribute('data-src') ?? source);
    else if (foreign) image.removeAttribute('src');
  }
  const folded = foldQuote(parsed);
  const styles = [...parsed.head.querySelectorAll('style')].map((style) => style.outerHTML).join('');
  const sources = pictures ? 'https: http: data:' : `data: ${[...own].join(' ')}`;
  return {
    folded,
    document: `<!doctype html><html><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src ${sources}; style-src 'unsafe-inline'; font-src 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
${styles}<style>${STYLE}</style></head><body>${parsed.body.innerHTML}</body></html>`,
  };
}

function originOf(address: string): string[] {
  const url = URL.parse(address, location.href);
  return url ? [url.origin] : [];
}

/** Puts the quoted history at a mail's end behind a fold that needs no script. False where there is none to be told. */
function foldQuote(parsed: Document): boolean {
  const quote = [...parsed.querySelectorAll('blockquote')].find((one) => !one.parentElement?.closest('blockquote') && !textBehind(one));
  if (!quote || !textBefore(quote)) return false;
  const fold = parsed.createElement('details');
  const summary = parsed.createElement('summary');
  summary.dataset.fold = '';
  summary.textContent = 'Quoted history';
  const attribution = quote.previousElementSibling;
  const words = attribution?.textContent.trim() ?? '';
  quote.replaceWith(fold);
  fold.append(summary);
  if (attribution && words.length < ATTRIBUTION_MAX && words.endsWith(':')) fold.append(attribution);
  fold.append(quote);
  return true;
}

function textBehind(element: Element): string {
  const range = element.ownerDocument.createRange();
  range.selectNodeContents(element.ownerDocument.body);
  range.setStartAfter(element);
  return range.toString().trim();
}

function textBefore(element: Element): string {
  const range = element.ownerDocument.createRange();
  range.selectNodeContents(element.ownerDocument.body);
  range.setEndBefore(element);
  return range.toString().trim();
}
