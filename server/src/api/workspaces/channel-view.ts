/** A channel as this surface shows it: document 003's object, and ours with everything that the document leaves out. */
import { type Connector, capabilitiesOf } from '../../connectors/connector.ts';
import type { Engine } from '../../engine/engine.ts';
import { SCRIPT_KEY } from '../../engine/sandbox-customer.ts';
import { uuidOf } from '../../model/ids.ts';
import type { ChannelRow } from '../../store/channels.ts';
import { capabilityTree } from './capability-tree.ts';
import { platformOf } from './platforms.ts';
import type { Channel, ChannelDetails, ChannelOptions, SettingRow } from './schemas/channel.ts';
import { iso } from './schemas/common.ts';

/** Where a channel's settings hold what only this surface knows. */
export const OPTIONS_KEY = 'channelOptions';

const DEFAULT_OPTIONS: ChannelOptions = {
  contactIdentifierKeyOverride: null,
  contactIdentifierFormatOverride: null,
  platformServiceUrlOverride: null,
  platformServiceVersionOverride: null,
  platformServiceProtocolOverride: null,
  platformMessageJsonSchemaOverride: null,
  platformTemplateEngineOverride: null,
  preferences: { disableProfileFetching: false, explicitMarketingOptOut: false, ignoreSuppressionChecks: false, isPrivate: false },
  useCaseId: null,
  useCaseType: null,
  channelMessageType: 'conversational',
  suites: [],
};

/** What users set on the channel beyond its connector's settings, with the defaults. */
export function optionsOf(row: Pick<ChannelRow, 'settings'>): ChannelOptions {
  return { ...DEFAULT_OPTIONS, ...(row.settings[OPTIONS_KEY] as Partial<ChannelOptions> | undefined) };
}

/** The connector that a channel is the installation of: there is one for each channel, so its id follows from the channel's. */
export function connectorIdOf(channelId: string): string {
  return uuidOf(`connector of ${channelId}`);
}

/** The number where the account has one, else its id at the source (a mail address is that already). */
export function identifierOf(row: Pick<ChannelRow, 'sourceChannelId' | 'details'>): string {
  const number = row.details.display_number;
  if (typeof number === 'string' && number !== '') return number;
  return row.sourceChannelId.replace(/^whatsapp:(?=\+)/, '');
}

export function showChannel(engine: Engine, row: ChannelRow): Channel {
  const connector = engine.channels.connectorOf(row.source);
  const { nodes } = capabilitiesOf(connector, withoutCredentials(row));
  const { preferences, useCaseId, useCaseType, channelMessageType, suites, ...overrides } = optionsOf(row);
  return {
    id: row.id,
    platformId: platformOf(row.source),
    name: row.name,
    connectorId: connectorIdOf(row.id),
    identifier: identifierOf(row),
    status: row.status,
    ...overrides,
    capabilities: capabilityTree(nodes, { createdAt: row.createdAt, updatedAt: row.updatedAt }),
    ...settingRows(connector, row),
    preferences,
    useCaseId,
    useCaseType,
    channelMessageType,
    suites,
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}

export function showDetails(engine: Engine, row: ChannelRow): ChannelDetails {
  const connector = engine.channels.connectorOf(row.source);
  const { [OPTIONS_KEY]: _options, [SCRIPT_KEY]: _script, ...settings } = row.settings;
  const { id, source, sourceChannelId, name, imageUrl, status, statusReason, sandbox, details, metadata, lastError, health } = row;
  return {
    id,
    source,
    platformId: platformOf(source),
    sourceChannelId,
    identifier: identifierOf(row),
    name,
    imageUrl,
    status,
    statusReason,
    sandbox,
    settings,
    details,
    metadata,
    grantsAccess: connector.consent ? (connector.consent.applies?.(withoutCredentials(row)) ?? true) : false,
    setup: connector.setup?.(withoutCredentials(row), engine.config.providers) ?? [],
    lastInAt: iso(row.lastInAt),
    lastOutAt: iso(row.lastOutAt),
    lastError,
    health,
    healthAt: iso(row.healthAt),
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}

/** What is shown never depends on a secret, so the secrets stay closed. */
function withoutCredentials(row: ChannelRow) {
  const { id, workspaceId, sourceChannelId, name, sandbox, settings, details } = row;
  return { id, workspaceId, sourceChannelId, name, sandbox, settings, details, credentials: {} };
}

interface FieldSchema {
  title?: string;
  description?: string;
  editable?: boolean;
  secret?: boolean;
}

/** `settings`: what the edit form offers; `connectionParams`: what was fixed when the account was connected. */
function settingRows(connector: Connector, row: ChannelRow): { settings: SettingRow[]; connectionParams: SettingRow[] } {
  const settings: SettingRow[] = [];
  const connectionParams: SettingRow[] = [];
  for (const [key, field] of Object.entries(connector.settings.properties as Record<string, FieldSchema>)) {
    const value = row.settings[key];
    if (value === undefined || value === null || field.secret) continue;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const shown = { key, value: text, displayName: field.title ?? key, description: field.description ?? '', visibility: 'public' };
    (field.editable ? settings : connectionParams).push(shown);
  }
  return { settings, connectionParams };
}
