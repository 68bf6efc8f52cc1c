/** The numbers of a Twilio account (twilio.com/docs/phone-numbers/api): listed, searched, bought, released. */
import { ProviderError } from '../../model/errors.ts';
import type { ConnectorContext, NumberSearch, OfferedNumber, OwnedNumber } from '../connector.ts';
import { type Account, accountOf, call, callJson, pathOfPage } from './client.ts';
import { errorOf } from './errors.ts';
import type { Credentials } from './schemas.ts';

/** Signs in. Throws `ProviderError` (`unauthorized`) when the account refuses the token. */
export async function checkAccount(keys: Partial<Credentials>, context: ConnectorContext): Promise<void> {
  const account = accountOf(keys, context.config);
  await callJson(account, context, { path: `/2010-04-01/Accounts/${account.accountSid}.json` });
}

/** Every number of the account, over all pages; with `phoneNumber` that one only. */
export async function ownedNumbers(keys: Partial<Credentials>, context: ConnectorContext, phoneNumber?: string): Promise<OwnedNumber[]> {
  const account = accountOf(keys, context.config);
  const filter = phoneNumber === undefined ? 'PageSize=1000' : `PhoneNumber=${encodeURIComponent(phoneNumber)}`;
  let path: string | undefined = `${numbersPath(account)}.json?${filter}`;
  const owned: OwnedNumber[] = [];
  while (path) {
    const page: { incoming_phone_numbers?: unknown; next_page_uri?: string | null } = await callJson(account, context, { path });
    if (Array.isArray(page.incoming_phone_numbers)) owned.push(...page.incoming_phone_numbers.map(ownedOf));
    path = pathOfPage(page.next_page_uri);
  }
  return phoneNumber === undefined ? owned : owned.filter((number) => number.phoneNumber === phoneNumber);
}

/** Local numbers with SMS that could be bought. */
export async function searchNumbers(keys: Partial<Credentials>, context: ConnectorContext, search: NumberSearch): Promise<OfferedNumber[]> {
  const account = accountOf(keys, context.config);
  const query = new URLSearchParams({ SmsEnabled: 'true', PageSize: String(search.limit) });
  if (search.areaCode) query.set('AreaCode', search.areaCode);
  if (search.contains) query.set('Contains', search.contains);
  const path = `/2010-04-01/Accounts/${account.accountSid}/AvailablePhoneNumbers/${encodeURIComponent(search.country)}/Local.json?${query}`;
  const page = await callJson<{ available_phone_numbers?: unknown }>(account, context, { path });
  const offered = Array.isArray(page.available_phone_numbers) ? page.available_phone_numbers : [];
  return offered.slice(0, search.limit).map((item) => {
    const found = fieldsOf(item);
    return {
      phoneNumber: String(found.phone_number ?? ''),
      locality: textOf(found.locality),
      region: textOf(found.region),
      country: textOf(found.iso_country),
      capabilities: abilitiesOf(found.capabilities),
    };
  });
}

/** Buys a number. When the answer is lost, the account's list tells whether it was bought: it is never bought twice. */
export async function buyNumber(keys: Partial<Credentials>, context: ConnectorContext, phoneNumber: string): Promise<OwnedNumber> {
  const account = accountOf(keys, context.config);
  try {
    const form = { PhoneNumber: phoneNumber };
    return ownedOf(await callJson(account, context, { method: 'POST', path: `${numbersPath(account)}.json`, form }));
  } catch (error) {
    if (!(error instanceof ProviderError) || error.class !== 'unknown-outcome') throw error;
    const [bought] = await ownedNumbers(keys, context, phoneNumber);
    if (!bought) throw error;
    return bought;
  }
}

/** Gives a number back; one that is gone already is fine. */
export async function releaseNumber(keys: Partial<Credentials>, context: ConnectorContext, providerId: string): Promise<void> {
  const account = accountOf(keys, context.config);
  const path = `${numbersPath(account)}/${encodeURIComponent(providerId)}.json`;
  const response = await call(account, context, { method: 'DELETE', path });
  if (response.status >= 300 && response.status !== 404) throw errorOf(response);
}

function numbersPath(account: Account): string {
  return `/2010-04-01/Accounts/${account.accountSid}/IncomingPhoneNumbers`;
}

function ownedOf(item: unknown): OwnedNumber {
  const found = fieldsOf(item);
  return {
    phoneNumber: String(found.phone_number ?? ''),
    providerId: String(found.sid ?? ''),
    name: textOf(found.friendly_name),
    capabilities: abilitiesOf(found.capabilities),
  };
}

function abilitiesOf(value: unknown): OwnedNumber['capabilities'] {
  const told = Object.fromEntries(Object.entries(fieldsOf(value)).map(([name, able]) => [name.toLowerCase(), able === true]));
  return { sms: told.sms ?? false, mms: told.mms ?? false, voice: told.voice ?? false };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
