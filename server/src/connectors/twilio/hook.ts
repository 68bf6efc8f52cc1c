import type { ChannelView, Hook, HookRequest, ProviderConfig, RawEvent } from '../connector.ts';
import { readStatusPath, sourceOf } from './addresses.ts';
import { isInbound, OUR_MESSAGE_ID } from './inbound.ts';
import { isSigned } from './signature.ts';

const FORM = 'application/x-www-form-urlencoded';

/** Reading the parameters is most of the work of one webhook, and three functions need them. */
const read = new WeakMap<HookRequest, URLSearchParams>();

function parametersOf(request: HookRequest): URLSearchParams {
  let parameters = read.get(request);
  if (!parameters) {
    parameters = new URLSearchParams(rawOf(request));
    read.set(request, parameters);
  }
  return parameters;
}

/** The parameters as Twilio wrote them: in the body, or in the address where the number is set to GET. */
function rawOf(request: HookRequest): string {
  if (request.method !== 'GET') return request.body.toString('utf8');
  const start = request.url.indexOf('?');
  return start === -1 ? '' : request.url.slice(start + 1);
}

/** Whose it is: the status address says so; of a message, the receiving address; of any other status, the sending one. */
function subjectOf(request: HookRequest): { source: string; sourceChannelId: string; messageId?: string } | undefined {
  const named = readStatusPath(request.path);
  if (named) return named;
  const form = parametersOf(request);
  const address = form.get(isInbound(form) ? 'To' : 'From');
  const source = address ? sourceOf(address) : undefined;
  return source ? { source, sourceChannelId: address! } : undefined;
}

function isSignedWith(token: string | undefined, request: HookRequest): boolean {
  const signature = request.headers['x-twilio-signature'];
  if (!token || !signature) return false;
  const contentType = request.headers['content-type'] ?? '';
  const parameters = request.method === 'GET' ? undefined : parametersOf(request);
  return isSigned(token, signature, request.url, contentType, request.body, parameters);
}

function tokenOf(channel: ChannelView, config: ProviderConfig): string | undefined {
  const own = channel.credentials.auth_token;
  return typeof own === 'string' && own ? own : config.get('TWILIO_AUTH_TOKEN');
}

export const hook: Hook = {
  path: '/hooks/twilio/*',
  aliases: ['/hooks/twilio', '/twilio', '/twilio/*'],
  source: 'twilio.sms',
  claims(request) {
    const subject = subjectOf(request);
    return subject ? [{ source: subject.source, sourceChannelId: subject.sourceChannelId }] : [];
  },
  verify(request, { config, channels }) {
    if (!request.headers['x-twilio-signature']) return 'missing';
    const tokens = new Set(channels.length > 0 ? channels.map((channel) => tokenOf(channel, config)) : [config.get('TWILIO_AUTH_TOKEN')]);
    for (const token of tokens) if (isSignedWith(token, request)) return 'ok';
    return 'wrong';
  },
  owns(request, channel, config) {
    return isSignedWith(tokenOf(channel, config), request);
  },
  unpack(request): RawEvent[] {
    const subject = subjectOf(request);
    const raw = rawOf(request);
    const body = subject?.messageId ? `${raw}&${OUR_MESSAGE_ID}=${subject.messageId}` : raw;
    return [
      {
        source: subject?.source ?? 'twilio.sms',
        sourceChannelId: subject?.sourceChannelId ?? null,
        contentType: FORM,
        body: Buffer.from(body),
        value: subject?.messageId ? undefined : parametersOf(request),
      },
    ];
  },
  reply: { status: 200, contentType: 'text/xml', body: '<Response/>' },
};
