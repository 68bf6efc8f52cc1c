/** What browsers are told about our pages: nothing but our own code runs in them, and nobody frames them. */
import { createHash } from 'node:crypto';

/** Headers of every page and file that we serve to browsers. */
export const PAGE_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'x-frame-options': 'DENY',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(self), payment=()',
  'cross-origin-opener-policy': 'same-origin',
};

export interface PolicyOptions {
  /** The page: its inline scripts are allowed by their digests, and no others. */
  html: string;
  /** Files and live updates come from there too, when the page was opened under another address. */
  publicOrigin: string;
}

/** The Content-Security-Policy of a page. Pictures may come from elsewhere: profile pictures and senders' own do. */
export function policyOf({ html, publicOrigin }: PolicyOptions): string {
  const socket = publicOrigin.replace(/^http/, 'ws');
  return [
    `default-src 'self'`,
    `script-src ${["'self'", ...inlineScripts(html)].join(' ')}`,
    `style-src 'self' 'unsafe-inline'`,
    `img-src 'self' data: blob: https: ${publicOrigin}`,
    `media-src 'self' blob: https: ${publicOrigin}`,
    `font-src 'self' data:`,
    `connect-src 'self' ${publicOrigin} ${socket}`,
    `frame-src 'self' blob:`,
    `worker-src 'self' blob:`,
    `object-src 'none'`,
    `base-uri 'none'`,
    `form-action 'self'`,
    `frame-ancestors 'none'`,
  ].join('; ');
}

function inlineScripts(html: string): string[] {
  return [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/gi)].map(
    ([, code]) => `'sha256-${createHash('sha256').update(code!).digest('base64')}'`,
  );
}
