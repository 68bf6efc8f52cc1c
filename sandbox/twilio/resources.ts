/** Accounts, numbers, WhatsApp senders and templates as Twilio's API shows and takes them. */
import { checkTypes } from './content-types.ts';
import {
  newNumber,
  newSid,
  notFound,
  Refusal,
  type SandboxAccount,
  type SandboxContent,
  type SandboxNumber,
  type SandboxSender,
} from './state.ts';

const DATE = 'Mon, 16 Aug 2010 23:00:23 +0000';

export function accountJson(account: SandboxAccount): Record<string, unknown> {
  return {
    sid: account.sid,
    friendly_name: 'Patchbay sandbox',
    status: account.status,
    type: 'Full',
    owner_account_sid: account.sid,
    date_created: DATE,
    date_updated: DATE,
    uri: `/2010-04-01/Accounts/${account.sid}.json`,
    subresource_uris: {},
  };
}

export function numberJson(account: SandboxAccount, number: SandboxNumber): Record<string, unknown> {
  return {
    sid: number.sid,
    account_sid: account.sid,
    friendly_name: number.friendly_name,
    phone_number: number.phone_number,
    capabilities: number.capabilities,
    sms_url: number.sms_url,
    sms_method: number.sms_method,
    status: 'in-use',
    api_version: '2010-04-01',
    date_created: DATE,
    date_updated: DATE,
    uri: `/2010-04-01/Accounts/${account.sid}/IncomingPhoneNumbers/${number.sid}.json`,
  };
}

export function listNumbers(account: SandboxAccount, query: URLSearchParams): Record<string, unknown> {
  const wanted = query.get('PhoneNumber')?.replace(/[^\d*]/g, '');
  const numbers = account.numbers.filter((item) => !wanted || item.phone_number.includes(wanted));
  const uri = `/2010-04-01/Accounts/${account.sid}/IncomingPhoneNumbers.json?${query}`;
  return {
    incoming_phone_numbers: numbers.map((item) => numberJson(account, item)),
    page: 0,
    page_size: 50,
    start: 0,
    end: Math.max(numbers.length - 1, 0),
    first_page_uri: uri,
    next_page_uri: null,
    previous_page_uri: null,
    uri,
  };
}

export function updateNumber(account: SandboxAccount, sid: string, form: URLSearchParams): Record<string, unknown> {
  const number = account.numbers.find((item) => item.sid === sid);
  if (!number) throw notFound(`IncomingPhoneNumbers/${sid}`);
  const url = form.get('SmsUrl');
  if (url !== null) {
    if (url !== '' && !URL.canParse(url)) throw new Refusal(400, 21402, 'Invalid Url');
    number.sms_url = url;
  }
  number.sms_method = form.get('SmsMethod') ?? number.sms_method;
  number.friendly_name = form.get('FriendlyName') ?? number.friendly_name;
  return numberJson(account, number);
}

/** Numbers that nobody has yet, all of one area. */
export function offerNumbers(account: SandboxAccount, country: string, query: URLSearchParams): Record<string, unknown> {
  const area = query.get('AreaCode') ?? '555';
  const offered = Array.from({ length: Math.min(Number(query.get('PageSize') ?? 20), 30) }, (_, n) => `+1${area}${2_000_000 + n}`);
  const free = offered.filter((number) => !account.numbers.some((item) => item.phone_number === number));
  return {
    available_phone_numbers: free.map((number) => ({
      friendly_name: number,
      phone_number: number,
      locality: 'Springfield',
      region: 'IL',
      iso_country: country,
      capabilities: { voice: true, SMS: true, MMS: true },
    })),
    uri: `/2010-04-01/Accounts/${account.sid}/AvailablePhoneNumbers/${country}/Local.json?${query}`,
  };
}

export function buyNumber(account: SandboxAccount, form: URLSearchParams): Record<string, unknown> {
  const wanted = form.get('PhoneNumber') ?? '';
  if (!/^\+\d{6,15}$/.test(wanted)) throw new Refusal(400, 21421, 'PhoneNumber is invalid');
  if (account.numbers.some((item) => item.phone_number === wanted)) throw new Refusal(400, 21422, 'PhoneNumber is not available');
  const number = newNumber(wanted);
  account.numbers.push(number);
  return numberJson(account, number);
}

export function senderJson(sender: SandboxSender): Record<string, unknown> {
  return {
    sid: sender.sid,
    sender_id: sender.sender_id,
    status: sender.status,
    configuration: { waba_id: '123456789012345', verification_method: 'sms' },
    webhook: sender.webhook,
    profile: { name: sender.name },
    properties: { quality_rating: 'HIGH', messaging_limit: '10K Customers/24hr' },
    offline_reasons: null,
    url: `https://messaging.twilio.com/v2/Channels/Senders/${sender.sid}`,
  };
}

export function listSenders(account: SandboxAccount): Record<string, unknown> {
  const url = 'https://messaging.twilio.com/v2/Channels/Senders?Channel=whatsapp&PageSize=100&Page=0';
  return {
    senders: account.senders.map(senderJson),
    meta: { page: 0, page_size: 100, first_page_url: url, previous_page_url: null, next_page_url: null, url, key: 'senders' },
  };
}

export function updateSender(account: SandboxAccount, sid: string, body: unknown): Record<string, unknown> {
  const sender = account.senders.find((item) => item.sid === sid);
  if (!sender) throw notFound(`/v2/Channels/Senders/${sid}`);
  const webhook = (body as { webhook?: Partial<SandboxSender['webhook']> } | null)?.webhook;
  if (webhook) Object.assign(sender.webhook, webhook);
  return senderJson(sender);
}

export function contentJson(account: SandboxAccount, content: SandboxContent): Record<string, unknown> {
  return {
    sid: content.sid,
    account_sid: account.sid,
    friendly_name: content.friendly_name,
    language: content.language,
    variables: content.variables,
    types: content.types,
    date_created: content.created.toISOString(),
    date_updated: content.created.toISOString(),
    url: `https://content.twilio.com/v1/Content/${content.sid}`,
    links: {
      approval_create: `https://content.twilio.com/v1/Content/${content.sid}/ApprovalRequests/whatsapp`,
      approval_fetch: `https://content.twilio.com/v1/Content/${content.sid}/ApprovalRequests`,
    },
  };
}

export function createContent(account: SandboxAccount, body: unknown, now: Date): Record<string, unknown> {
  const fields = (body ?? {}) as Partial<SandboxContent>;
  if (!fields.language) throw new Refusal(400, 20001, 'language is required');
  const types = fields.types ?? {};
  if (Object.keys(types).length === 0) throw new Refusal(400, 20001, 'types is required');
  checkTypes(types);
  const content: SandboxContent = {
    sid: newSid('HX'),
    friendly_name: fields.friendly_name ?? '',
    language: fields.language,
    variables: fields.variables ?? {},
    types,
    created: now,
    approval: { name: '', category: '', content_type: '', status: 'unsubmitted', rejection_reason: '', allow_category_change: true },
  };
  account.contents.push(content);
  return contentJson(account, content);
}

export function requestApproval(account: SandboxAccount, sid: string, body: unknown): Record<string, unknown> {
  const content = findContent(account, sid);
  const { name, category } = (body ?? {}) as { name?: string; category?: string };
  if (!name || !/^[a-z0-9_]{1,512}$/.test(name)) throw new Refusal(400, 20001, 'name must be lower case letters, digits and underscores');
  if (!['UTILITY', 'MARKETING', 'AUTHENTICATION'].includes(category ?? '')) throw new Refusal(400, 20001, 'category is not valid');
  content.approval = { ...content.approval, name, category: category!, content_type: Object.keys(content.types)[0]!, status: 'received' };
  return content.approval;
}

export function findContent(account: SandboxAccount, sid: string): SandboxContent {
  const content = account.contents.find((item) => item.sid === sid);
  if (!content) throw notFound(`/v1/Content/${sid}`);
  return content;
}

/** Templates with their approvals, page by page. */
export function listContents(account: SandboxAccount, query: URLSearchParams, path: string, approvals: boolean): Record<string, unknown> {
  const size = Math.min(Math.max(Number(query.get('PageSize') ?? 50), 1), 1000);
  const page = Math.max(Number(query.get('Page') ?? 0), 0);
  const url = (number: number): string => `https://content.twilio.com${path}?PageSize=${size}&Page=${number}`;
  const slice = account.contents.slice(page * size, (page + 1) * size);
  return {
    contents: slice.map((content) => {
      if (!approvals) return contentJson(account, content);
      const { url: _, links: __, ...shown } = contentJson(account, content);
      return { ...shown, approval_requests: content.approval };
    }),
    meta: {
      page,
      page_size: size,
      first_page_url: url(0),
      previous_page_url: page > 0 ? url(page - 1) : null,
      next_page_url: (page + 1) * size < account.contents.length ? url(page + 1) : null,
      url: url(page),
      key: 'contents',
    },
  };
}
