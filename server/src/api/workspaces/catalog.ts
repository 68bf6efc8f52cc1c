/** What can be connected, drawn from the registry alone. */
import type { Static, TSchema } from 'typebox';
import { type Connector, capabilitiesOf } from '../../connectors/connector.ts';
import { platformOf } from './platforms.ts';
import { CatalogEntry } from './schemas/catalog.ts';
import { ids, listAnswer } from './schemas/common.ts';
import type { Routes, SurfaceParts } from './surface.ts';

export function catalogRoutes(app: Routes, { engine }: SurfaceParts): void {
  app.get(
    '/catalog',
    {
      config: { scope: 'channels:read' },
      schema: {
        tags: ['Channels'],
        operationId: 'getCatalog',
        summary: 'Every source that can be connected, with the forms it needs',
        params: ids(),
        response: { 200: listAnswer(CatalogEntry) },
      },
    },
    async () => ({ results: engine.registry.connectors.map(showConnector) }),
  );
}

function showConnector(connector: Connector): Static<typeof CatalogEntry> {
  const { source, title, description, category, guide, notice, look } = connector;
  return {
    source,
    platformId: platformOf(source),
    title,
    description,
    category,
    guide,
    ...(notice ? { notice } : {}),
    color: look.color,
    icon: look.icon,
    inputSchema: plain(connector.input),
    settingsSchema: plain(connector.settings),
    identifierKey: connector.identity.kind,
    canExplore: connector.explore !== undefined,
    capabilities: plainCapabilities(connector),
  };
}

/** A source whose channels differ shows what a channel has about which nothing is known yet. */
function plainCapabilities(connector: Connector): Record<string, unknown> {
  const blank = { id: '', workspaceId: '', sourceChannelId: '', name: '', sandbox: false, settings: {}, credentials: {}, details: {} };
  return { ...capabilitiesOf(connector, blank) };
}

function plain(schema: TSchema): Record<string, unknown> {
  return JSON.parse(JSON.stringify(schema)) as Record<string, unknown>;
}
