/** Channels that send through a provider account: mailboxes of a verified domain, and SMS from a number. */
import { PatchbayError, ProviderError } from '../model/errors.ts';
import type { ChannelRow } from '../store/channels.ts';
import { type EmailDomain, getEmailDomain } from '../store/email-domains.ts';
import { getIntegration, type Integration } from '../store/integrations.ts';
import { listVotelChannels, type VotelChannel } from '../store/votel-channels.ts';
import type { Engine } from './engine.ts';
import { dkimOf } from './mail-domains.ts';
import { changeIntegration, type IntegrationChange, keysOf } from './provider-accounts.ts';
import { reconnect, switchOff, switchOn } from './reconnect.ts';

type Parts = Pick<Engine, 'database' | 'vault' | 'channels' | 'contexts' | 'sandboxes' | 'log'>;

export interface ConnectFor {
  workspaceId: string;
  /** The mail address, or the number. */
  identifier: string;
  name: string;
  sandbox: boolean;
  existing: 'reuse' | 'refuse';
  domain?: EmailDomain | undefined;
}

/**
 * A channel through a provider account. Where the source allows it, one without keys of its own is taken up without asking
 * the provider: it is `pending`, and works as soon as the account, or the installation, has keys.
 */
export async function connectFor(
  parts: Pick<Parts, 'vault' | 'channels'>,
  integration: Integration | undefined,
  wanted: ConnectFor,
): Promise<ChannelRow> {
  const { workspaceId, identifier, name, sandbox, existing, domain } = wanted;
  const { source, accounts } = parts.channels.sharing(integration?.type ?? 'sms');
  const keys = integration && keysOf(parts, integration);
  const own = { ...integration?.settings, [accounts.identifier]: identifier };
  if (accounts.withoutKeys && !keys) {
    const statusReason = accounts.withoutKeys;
    return parts.channels.place({ workspaceId, source, sourceChannelId: identifier, name, settings: own, statusReason, sandbox });
  }
  const provider = accounts.provider && integration ? { name, [accounts.provider]: integration.provider } : {};
  const input = { ...keys, ...own, ...provider, ...(domain ? { dkim: dkimOf(parts, domain) } : {}) };
  return parts.channels.connect({ workspaceId, source, input, name, sandbox, existing });
}

/** Changes a provider account, and its channels go on with its new keys and settings. Throws as `changeIntegration` does. */
export async function changeAccount(parts: Parts, row: Integration, change: IntegrationChange): Promise<Integration> {
  const changed = await changeIntegration(parts, row, change);
  if (change.config) await refreshChannelsOf(parts, changed);
  return changed;
}

/** One that is refused says why. Those switched off get theirs when they are switched on. */
async function refreshChannelsOf(parts: Parts, integration: Integration): Promise<void> {
  const { workspaceId, id } = integration;
  if (parts.channels.sharing(integration.type).accounts.withoutKeys && !integration.credentials) return;
  const { rows } = await listVotelChannels(parts.database, workspaceId, { integrationId: id }, { limit: 1000, offset: 0 });
  for (const channel of rows) {
    if (channel.status === 'inactive') continue;
    try {
      await connectAgain(parts, channel, integration);
    } catch (error) {
      if (!(error instanceof ProviderError) && !(error instanceof PatchbayError)) throw error;
      await parts.channels.report(workspaceId, channel.id, { status: 'failed', statusReason: error.message });
    }
  }
}

/** Switches a channel on or off. Switching on asks the provider, by way of the channel's account where it has one. */
export async function switchChannel(parts: Parts, channel: VotelChannel, on: boolean): Promise<ChannelRow> {
  const row = await parts.channels.get(channel.workspaceId, channel.id);
  if (!on) return switchOff(parts, row);
  const integration = channel.integrationId ? await getIntegration(parts.database, channel.workspaceId, channel.integrationId) : undefined;
  if (integration) return connectAgain(parts, channel, integration);
  const hasKeys = Object.keys(parts.channels.view(row).credentials).length > 0;
  if (!parts.channels.sharing(channel.type).accounts.withoutKeys || hasKeys) return switchOn(parts, row);
  try {
    return await reconnect(parts, row, {});
  } catch (error) {
    // A number that was taken up on trust, which the installation's account does not know, is taken up so again.
    if (!(error instanceof PatchbayError)) throw error;
    return connectAgain(parts, channel, undefined);
  }
}

async function connectAgain(parts: Parts, channel: VotelChannel, integration: Integration | undefined): Promise<ChannelRow> {
  const { workspaceId, identifier, name, sandbox, emailDomainId } = channel;
  const domain = emailDomainId ? await getEmailDomain(parts.database, workspaceId, emailDomainId) : undefined;
  return connectFor(parts, integration, { workspaceId, identifier, name, sandbox, domain, existing: 'reuse' });
}
