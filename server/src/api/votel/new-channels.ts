/** Making channels of addresses and numbers (002; decisions.md B13–B15, B31). */

import { connectFor } from '../../engine/account-channels.ts';
import type { Engine } from '../../engine/engine.ts';
import { addIntegration } from '../../engine/provider-accounts.ts';
import { invalid, PatchbayError, ProviderError } from '../../model/errors.ts';
import { domainOf, isAddress, normalAddress } from '../../model/mail-address.ts';
import { toE164 } from '../../model/phone.ts';
import type { EmailDomain } from '../../store/email-domains.ts';
import { emailDomainByName, getEmailDomain } from '../../store/email-domains.ts';
import { getIntegration, type Integration, newestIntegration } from '../../store/integrations.ts';
import { getPhoneNumber } from '../../store/phone-numbers.ts';
import {
  getVotelChannel,
  keepVotelFields,
  type VotelChannel,
  type VotelFields,
  type VotelType,
  votelChannelOf,
} from '../../store/votel-channels.ts';
import { maySee } from '../access.ts';
import type { Principal } from '../auth.ts';
import { unverified } from './errors.ts';
import { found } from './shapes.ts';

export interface Wanted {
  name: string;
  channel_type: VotelType;
  integration_id: string;
  send_from_email?: string;
  email_domain_id?: string;
  send_from_phone_number?: string;
  phone_number_id?: string;
  is_default?: boolean;
  metadata?: Record<string, unknown>;
}

/** The fields that one type of channel needs beside those that all do. */
export const NEEDED: Record<VotelType, ('send_from_email' | 'email_domain_id' | 'send_from_phone_number' | 'phone_number_id')[]> = {
  email: ['send_from_email', 'email_domain_id'],
  sms: ['send_from_phone_number', 'phone_number_id'],
};

/** Throws `not-found` for what the body names and is not there, `precondition` for an unverified domain, `conflict`, `invalid`. */
export async function createChannel(engine: Engine, principal: Principal, body: Wanted): Promise<VotelChannel> {
  const { database } = engine;
  const integration = await found('Integration', body.integration_id, principal, (id) =>
    getIntegration(database, principal.workspaceId, id),
  );
  if (integration.type !== body.channel_type) throw invalid('integration_id', `is an integration for ${integration.type}`);
  return body.channel_type === 'email'
    ? createMailbox(engine, principal, integration, body)
    : createSms(engine, principal, integration, body);
}

/** The channel of an address; `made` says whether it was there before. Throws `precondition` without a verified domain. */
export async function channelForAddress(
  engine: Engine,
  principal: Principal,
  given: string,
): Promise<{ channel: VotelChannel; made: boolean }> {
  const { database } = engine;
  const { workspaceId, sandbox } = principal;
  const email = mailAddress('email', given);
  const existing = async () => {
    const channel = await votelChannelOf(database, workspaceId, 'email', email);
    return channel && maySee(principal, channel) ? { channel, made: false } : undefined;
  };
  const known = await existing();
  if (known) return known;
  const domain = await emailDomainByName(database, workspaceId, domainOf(email));
  if (!domain?.verifiedAt || !maySee(principal, domain)) throw unverified('No verified domain found for this email');
  const integration =
    (await newestIntegration(database, workspaceId, 'email', sandbox)) ??
    (await addIntegration(engine, {
      workspaceId,
      name: 'Built-in mail',
      type: 'email',
      provider: 'aurion',
      config: {},
      metadata: {},
      sandbox,
    }));
  try {
    return { channel: await connectMailbox(engine, principal, { integration, domain, name: email, email }), made: true };
  } catch (error) {
    // Somebody else made it in between.
    const theirs = error instanceof PatchbayError && error.code === 'conflict' ? await existing() : undefined;
    if (!theirs) throw error;
    return theirs;
  }
}

/** Keeps what only this surface knows of a channel, and answers the channel. */
export async function keep(
  engine: Engine,
  channel: { workspaceId: string; id: string; type: VotelType },
  fields: VotelFields,
): Promise<VotelChannel> {
  await engine.database.transaction((client) => keepVotelFields(client, channel, fields));
  const row = await getVotelChannel(engine.database, channel.workspaceId, channel.id);
  if (!row) throw new PatchbayError('not-found', 'Channel not found');
  return row;
}

async function createMailbox(engine: Engine, principal: Principal, integration: Integration, body: Wanted): Promise<VotelChannel> {
  const domain = await found('Email domain', body.email_domain_id!, principal, (id) =>
    getEmailDomain(engine.database, principal.workspaceId, id),
  );
  const email = mailAddress('send_from_email', body.send_from_email!);
  if (!domain.verifiedAt) throw unverified(`The domain ${domain.domain} is not verified`);
  if (domainOf(email) !== domain.domain) throw invalid('send_from_email', `is not an address of ${domain.domain}`);
  return connectMailbox(engine, principal, { integration, domain, name: body.name, email, ...choices(body) });
}

async function connectMailbox(
  engine: Engine,
  { workspaceId, sandbox }: Principal,
  wanted: { integration: Integration; domain: EmailDomain; name: string; email: string } & VotelFields,
): Promise<VotelChannel> {
  const { integration, domain, name, email: identifier, ...fields } = wanted;
  const { id } = await blaming('integration_id', () =>
    connectFor(engine, integration, { workspaceId, identifier, name, sandbox, domain, existing: 'refuse' }),
  );
  return keep(engine, { workspaceId, id, type: 'email' }, { ...fields, integrationId: integration.id, emailDomainId: domain.id });
}

async function createSms(engine: Engine, principal: Principal, integration: Integration, body: Wanted): Promise<VotelChannel> {
  const { workspaceId, sandbox } = principal;
  const number = await found('Phone number', body.phone_number_id!, principal, (id) => getPhoneNumber(engine.database, workspaceId, id));
  const identifier = number.phoneNumber;
  if (toE164(body.send_from_phone_number!) !== identifier) throw invalid('send_from_phone_number', `is not ${identifier}`);
  const existing = await votelChannelOf(engine.database, workspaceId, 'sms', identifier);
  if (existing) throw new PatchbayError('conflict', `A channel for this phone number exists already: ${existing.name}`);
  const { id } = await blaming('send_from_phone_number', () =>
    connectFor(engine, integration, { workspaceId, identifier, name: body.name, sandbox, existing: 'refuse' }),
  );
  return keep(engine, { workspaceId, id, type: 'sms' }, { integrationId: integration.id, phoneNumberId: number.id, ...choices(body) });
}

/** What the caller sent is kept, also for the first channel of a type (decisions.md B14). */
function choices(body: Wanted) {
  return { isDefault: body.is_default ?? false, ...(body.metadata ? { metadata: body.metadata } : {}) };
}

function mailAddress(field: string, value: string): string {
  const address = normalAddress(value);
  if (!isAddress(address)) throw invalid(field, 'is not a mail address');
  return address;
}

/** What a provider, or its form, says is wrong is about this field of the request. */
async function blaming<T>(field: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const refused =
      (error instanceof PatchbayError && (error.code === 'invalid' || error.code === 'provider-refused')) ||
      (error instanceof ProviderError && error.class !== 'retry' && error.class !== 'rate-limited' && error.class !== 'unknown-outcome');
    if (!refused) throw error;
    const { message } = error as Error;
    throw new PatchbayError('invalid', message, { problems: [{ field, message }], cause: error });
  }
}
