import Type from 'typebox';
import { FreeForm } from './common.ts';

export const CatalogEntry = Type.Object(
  {
    source: Type.String(),
    platformId: Type.String(),
    title: Type.String(),
    description: Type.String(),
    category: Type.String(),
    guide: Type.String({ description: 'Path of its guide below `docs/`.' }),
    notice: Type.Optional(Type.String()),
    color: Type.String(),
    icon: Type.String({ description: 'A 24×24 SVG path.' }),
    inputSchema: Type.Record(Type.String(), Type.Unknown(), {
      description: 'What connecting takes, as a JSON schema; fields with `secret: true` are write-only.',
    }),
    settingsSchema: Type.Record(Type.String(), Type.Unknown(), {
      description: 'What a connected channel shows; `editable: true` marks what can be changed.',
    }),
    identifierKey: Type.String({ description: 'What addresses its contacts have, as `identifierKey` of a receiver.' }),
    canExplore: Type.Boolean({ description: 'Accounts can be listed before one is connected.' }),
    capabilities: FreeForm,
  },
  { title: 'CatalogEntry' },
);
