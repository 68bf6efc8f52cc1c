/** Phone numbers of the workspace: taken over from a provider's account, bought there, given back; each with its SMS channel. */
import type { NumberOperations, NumberSearch, OfferedNumber, OwnedNumber } from '../connectors/connector.ts';
import { invalid, PatchbayError, ProviderError } from '../model/errors.ts';
import { phoneProblem, readableNumber, toE164 } from '../model/phone.ts';
import type { Integration } from '../store/integrations.ts';
import { deletePhoneNumber, insertPhoneNumber, type NumberAbilities, type PhoneNumberRow, phoneNumberOf } from '../store/phone-numbers.ts';
import { keepVotelFields, listVotelChannels, votelChannelOf } from '../store/votel-channels.ts';
import { connectFor } from './account-channels.ts';
import type { Engine } from './engine.ts';
import { keysOf } from './provider-accounts.ts';

type Parts = Pick<Engine, 'database' | 'vault' | 'channels' | 'contexts'>;

/** An account to ask: an integration's own, else the installation's. */
export interface NumberAccount {
  workspaceId: string;
  integration: Integration | undefined;
  sandbox: boolean;
}

export interface NewNumber {
  phoneNumber: string;
  name?: string | undefined;
  capabilities?: Partial<NumberAbilities> | undefined;
  metadata?: Record<string, unknown> | undefined;
}

/**
 * Takes a number up. An account with keys of its own is asked for it (`invalid` when it has no such number); without, the
 * caller is trusted, and the number counts as one that can do SMS. Throws `conflict` when it is here already.
 */
export async function addNumber(parts: Parts, account: NumberAccount, given: NewNumber): Promise<PhoneNumberRow> {
  const phoneNumber = numberOf(given.phoneNumber);
  await refuseKnown(parts, account, phoneNumber);
  const keys = account.integration && keysOf(parts, account.integration);
  const owned = keys ? await ownedOne(parts, account, keys, phoneNumber) : undefined;
  return store(parts, account, given, {
    phoneNumber,
    providerId: owned?.providerId ?? '',
    name: owned?.name ?? null,
    capabilities: owned?.capabilities ?? { sms: true, mms: false, voice: false, ...given.capabilities },
  });
}

/** Buys a number in the account and takes it up. Throws `conflict` when it is here already, `invalid` when it cannot be bought. */
export async function purchaseNumber(parts: Parts, account: NumberAccount, given: NewNumber): Promise<PhoneNumberRow> {
  const phoneNumber = numberOf(given.phoneNumber);
  await refuseKnown(parts, account, phoneNumber);
  const bought = await numbersOf(parts)
    .buy(keysFor(parts, account), contextOf(parts, account), phoneNumber)
    .catch((error) => {
      throw error instanceof ProviderError && error.class === 'rejected' ? invalid('phone_number', error.message) : error;
    });
  return store(parts, account, given, bought);
}

/** Takes up every number of the account that is not here yet. */
export async function importNumbers(parts: Parts, account: NumberAccount): Promise<PhoneNumberRow[]> {
  const owned = await numbersOf(parts).owned(keysFor(parts, account), contextOf(parts, account));
  const rows: PhoneNumberRow[] = [];
  for (const number of owned) {
    try {
      await refuseKnown(parts, account, number.phoneNumber);
      rows.push(await store(parts, account, { phoneNumber: number.phoneNumber }, number));
    } catch (error) {
      if (!(error instanceof PatchbayError) || error.code !== 'conflict') throw error;
    }
  }
  return rows;
}

/** Numbers that could be bought. */
export function offeredNumbers(parts: Parts, account: NumberAccount, search: NumberSearch): Promise<OfferedNumber[]> {
  return numbersOf(parts).search(keysFor(parts, account), contextOf(parts, account), search);
}

/** Forgets a number and ends its channel; with `release` it is given back to the provider too. */
export async function removeNumber(parts: Parts, account: NumberAccount, row: PhoneNumberRow, release: boolean): Promise<void> {
  if (release) {
    if (!row.providerId) throw new PatchbayError('conflict', 'the number was not taken over from a provider account: release it there');
    await numbersOf(parts).release(keysFor(parts, account), contextOf(parts, account), row.providerId);
  }
  const { rows } = await listVotelChannels(parts.database, row.workspaceId, { phoneNumberId: row.id }, { limit: 10, offset: 0 });
  for (const channel of rows) await parts.channels.delete(channel.workspaceId, channel.id);
  await deletePhoneNumber(parts.database, row.workspaceId, row.id);
}

/** Asked before the provider is: nobody buys twice what the workspace has. A channel of the other kind of key is in the way, too. */
async function refuseKnown(parts: Parts, { workspaceId, sandbox }: NumberAccount, phoneNumber: string): Promise<void> {
  if (await phoneNumberOf(parts.database, workspaceId, phoneNumber)) throw alreadyHere(phoneNumber);
  const channel = await votelChannelOf(parts.database, workspaceId, 'sms', phoneNumber);
  if (channel && channel.sandbox !== sandbox) throw alreadyHere(phoneNumber);
}

function alreadyHere(phoneNumber: string): PatchbayError {
  return new PatchbayError('conflict', `the number ${phoneNumber} is here already`);
}

async function store(parts: Parts, account: NumberAccount, given: NewNumber, owned: OwnedNumber): Promise<PhoneNumberRow> {
  const { workspaceId, integration } = account;
  const row = await insertPhoneNumber(parts.database, {
    workspaceId,
    phoneNumber: owned.phoneNumber,
    name: given.name ?? owned.name,
    integrationId: integration?.id ?? null,
    providerId: owned.providerId || null,
    capabilities: owned.capabilities,
    metadata: given.metadata ?? {},
    sandbox: account.sandbox,
  });
  if (!row) throw alreadyHere(owned.phoneNumber);
  if (row.capabilities.sms) await makeSmsChannel(parts, account, row);
  return row;
}

/** One SMS channel for a number; one that is connected already gets the number's id. */
async function makeSmsChannel(parts: Parts, account: NumberAccount, row: PhoneNumberRow): Promise<void> {
  const { workspaceId, integration, sandbox } = account;
  const known = await votelChannelOf(parts.database, workspaceId, 'sms', row.phoneNumber);
  const id = known?.id ?? (await connected());
  await parts.database.transaction((client) =>
    keepVotelFields(client, { workspaceId, id, type: 'sms' }, { integrationId: integration?.id ?? null, phoneNumberId: row.id }),
  );

  async function connected(): Promise<string> {
    const name = `SMS - ${readableNumber(row.phoneNumber)}`;
    const wanted = { workspaceId, identifier: row.phoneNumber, name, sandbox, existing: 'refuse' as const };
    try {
      return (await connectFor(parts, integration, wanted)).id;
    } catch (error) {
      if (!(error instanceof ProviderError) && !(error instanceof PatchbayError && error.code === 'provider-refused')) throw error;
      // The number is here; its channel says what is wrong, and is tried again with the integration's next change.
      const channel = await connectFor(parts, undefined, wanted);
      await parts.channels.report(workspaceId, channel.id, { status: 'failed', statusReason: error.message });
      return channel.id;
    }
  }
}

/** Without a country code a number could be any country's: it is refused rather than guessed. */
function numberOf(value: string): string {
  const number = /^\s*(\+|00)/.test(value) ? toE164(value) : undefined;
  const problem = number === undefined ? 'must be a phone number with its country code, like +15551234567' : phoneProblem(number);
  if (problem) throw invalid('phone_number', problem);
  return number!;
}

async function ownedOne(parts: Parts, account: NumberAccount, keys: Record<string, unknown>, phoneNumber: string): Promise<OwnedNumber> {
  const [owned] = await numbersOf(parts).owned(keys, contextOf(parts, account), phoneNumber);
  if (!owned) throw invalid('phone_number', 'the provider account has no such number');
  return owned;
}

function numbersOf({ channels }: Parts): NumberOperations<unknown> {
  const { numbers } = channels.sharing('sms').accounts;
  if (!numbers) throw new PatchbayError('not-supported', 'the provider of SMS has no numbers to ask for');
  return numbers;
}

function keysFor(parts: Parts, account: NumberAccount): Record<string, unknown> {
  return (account.integration && keysOf(parts, account.integration)) ?? {};
}

function contextOf(parts: Parts, { workspaceId, sandbox }: NumberAccount) {
  return parts.contexts.for({ workspaceId, channelId: null, sandbox });
}
