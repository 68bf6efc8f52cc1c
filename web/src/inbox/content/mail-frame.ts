import type { EmailContent } from '../../../../server/src/model/content.ts';

/** What never belongs into a shown mail. The frame's sandbox and policy stop it as well; what is not there cannot slip through. */
const FORBIDDEN = 'script, iframe, frame, frameset, object, embed, applet, base, link, meta, form, input, button, textarea, select, portal';

/** True when the mail shows pictures from other people's servers, which tells them that it was opened. */
export function hasRemoteImages(html: string): boolean {
  return /(?:src|background|srcset)\s*=\s*["']?\s*(?:https?:)?\/\/|url\(\s*["']?\s*(?:https?:)?\/\//i.test(html);
}

/** The document that the sandboxed frame shows. `pictures`: remote ones may load. */
export function frameDocument(email: Pick<EmailContent, 'html' | 'attachments'>, pictures: boolean): string {
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
  // The server keeps the pictures of others back in `data-src`.
  for (const image of pictures ? parsed.querySelectorAll('img[data-src]') : []) image.setAttribute('src', image.getAttribute('data-src')!);
  const styles = [...parsed.head.querySelectorAll('style')].map((style) => style.outerHTML).join('');
  const sources = pictures ? 'https: http: data:' : `data: ${location.origin}`;
  return `<!doctype html><html><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src ${sources}; style-src 'unsafe-inline'; font-src 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<style>body{margin:0;padding:12px;background:#fff;color:#1b2130;font:14px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}img{max-width:100%;height:auto}table{max-width:100%}${pictures ? '' : 'img[src^="http"],img[src^="//"]{display:none}'}blockquote{margin:8px 0;padding-left:12px;border-left:3px solid #d6dae3;color:#5f6779}</style>
${styles}</head><body>${parsed.body.innerHTML}</body></html>`;
}
