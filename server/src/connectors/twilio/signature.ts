/** X-Twilio-Signature as Twilio's own library computes and checks it (twilio-node src/webhooks/webhooks.ts). */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'node:querystring';

/** The signature of a request: the address, then every parameter's name and value in order of name. */
export function signatureOf(authToken: string, url: string, parameters: URLSearchParams): string {
  return createHmac('sha1', authToken)
    .update(url + joined(parameters))
    .digest('base64');
}

/** Names in code-unit order; of a repeated name the different values, sorted. */
function joined(parameters: URLSearchParams): string {
  const values = new Map<string, string[]>();
  for (const [name, value] of parameters) {
    const known = values.get(name);
    if (known) known.push(value);
    else values.set(name, [value]);
  }
  let text = '';
  for (const name of [...values.keys()].sort()) {
    for (const value of new Set(values.get(name)!.sort())) text += name + value;
  }
  return text;
}

/**
 * True when `signature` is the one that Twilio computes for this request. Proxies and older back ends make it sign the
 * address with or without the port, and with escaped queries; all of these forms are tried, likely ones first.
 * @param url the address as Twilio called it
 * @param contentType a JSON body is not part of the signature: its hash is in the address (`bodySHA256`)
 * @param parameters the form in the body, where it was read already
 */
export function isSigned(
  authToken: string,
  signature: string,
  url: string,
  contentType: string,
  body: Buffer,
  parameters?: URLSearchParams,
): boolean {
  const hash = /[?&]bodySHA256=([^&#]*)/.exec(url)?.[1];
  const form = contentType.startsWith('application/x-www-form-urlencoded');
  if (hash !== undefined && !form) {
    if (!same(hash, createHash('sha256').update(body).digest('hex'))) return false;
  } else if (!form && body.length > 0) {
    return false;
  }
  const suffix = form ? joined(parameters ?? new URLSearchParams(body.toString('utf8'))) : '';
  for (const candidate of forms(url)) {
    if (
      same(
        signature,
        createHmac('sha1', authToken)
          .update(candidate + suffix)
          .digest('base64'),
      )
    )
      return true;
  }
  return false;
}

function* forms(url: string): Generator<string> {
  yield withoutPort(url);
  yield withPort(url);
  const normal = URL.canParse(url) ? new URL(url).toString() : url;
  yield withoutPort(normal);
  yield withPort(normal);
  yield legacyQuery(withoutPort(normal));
  yield legacyQuery(withPort(normal));
}

const ADDRESS = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*@)?(\[[^\]]*\]|[^:/?#]*)(:\d*)?(.*)$/is;

function withoutPort(url: string): string {
  return url.replace(ADDRESS, '$1$2$3$5');
}

function withPort(url: string): string {
  return url.replace(ADDRESS, (_, scheme: string, user = '', host: string, port: string | undefined, rest: string) => {
    const standard = scheme.toLowerCase() === 'https://' ? ':443' : ':80';
    return `${scheme}${user}${host}${port || standard}${rest}`;
  });
}

function legacyQuery(url: string): string {
  const start = url.indexOf('?');
  if (start === -1 || start === url.length - 1) return url;
  return `${url.slice(0, start)}?${stringify(parse(url.slice(start + 1)))}`;
}

function same(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
