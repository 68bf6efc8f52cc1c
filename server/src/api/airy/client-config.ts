/** What Airy's front-ends ask at their start: airy.md 1.10. Everything comes from the registry of connectors. */
import Type from 'typebox';
import type { Connector } from '../../connectors/connector.ts';
import { PatchbayError } from '../../model/errors.ts';
import { type Airy, Name } from './routes.ts';
import { ClientConfigAnswer, ComponentsAnswer, Nothing } from './schemas.ts';

/** The version of Airy whose contract this surface keeps. */
const AIRY_VERSION = '0.57.0-alpha';
/** Parts of Airy that are part of Patchbay itself. */
const BUILT_IN = ['api-contacts', 'media-resolver', 'frontend-inbox'];

const COLORS = {
  'tag-green': { default: '0E764F', background: 'F5FFFB', font: '0E764F', position: 3, border: '0E764F' },
  'tag-blue': { default: '1578D4', background: 'F5FFFB', font: '1578D4', position: 1, border: '1578D4' },
  'tag-red': { default: 'E0243A', background: 'FFF7F9', font: 'E0243A', position: 2, border: 'E0243A' },
  'tag-purple': { default: '730A80', background: 'FEF7FF', font: '730A80', position: 4, border: '730A80' },
};

export function addClientConfig(airy: Airy): void {
  const components = [...new Map(airy.engine.registry.connectors.map((connector) => [componentOf(connector.source), connector]))];
  const names = [...components.map(([name]) => name), ...BUILT_IN];

  airy.post(
    'client.config',
    { needs: 'channels:read', answer: ClientConfigAnswer, summary: 'What clients need to know at their start' },
    async ({ principal }) => ({
      services: Object.fromEntries(names.map((name) => [name, { enabled: true, healthy: true, component: name }])),
      user_profile: { id: principal.keyId, name: principal.name, avatar_url: null },
      tag_config: { colors: COLORS },
      cluster_version: AIRY_VERSION,
    }),
  );

  airy.post(
    'components.list',
    { needs: 'channels:read', answer: ComponentsAnswer, summary: 'The sources that can be connected' },
    async () => ({
      components: Object.fromEntries(components.map(([name, connector]) => [name, componentView(name, connector)])),
    }),
  );

  addInstallation(airy, names);

  airy.post(
    'components.get',
    { needs: 'channels:read', answer: ComponentsAnswer, summary: 'How the sources are configured' },
    async () => ({
      components: Object.fromEntries(names.map((name) => [name, { enabled: 'true' }])),
    }),
  );
}

/** Every component is part of Patchbay: there is nothing to install, and nothing that could be taken away. */
function addInstallation(airy: Airy, names: string[]): void {
  const check = (name: string) => {
    if (!names.includes(name)) throw new PatchbayError('invalid', `there is no component ${name}`);
  };
  const One = Type.Object({ name: Name });
  airy.post(
    'components.install',
    { answer: Nothing, needs: 'channels:write', status: 202, summary: 'Install a component: each is installed already', body: One },
    async ({ body, reply }) => {
      check(body.name);
      return reply.code(202).send();
    },
  );
  airy.post(
    'components.uninstall',
    { answer: Nothing, needs: 'channels:write', summary: 'Uninstall a component: none can be', body: One },
    async ({ body }) => {
      check(body.name);
      throw new PatchbayError('not-supported', `${body.name} is part of Patchbay and cannot be uninstalled`);
    },
  );
  for (const name of ['components.update', 'components.delete', 'cluster.update']) {
    airy.post(
      name,
      {
        answer: Nothing,
        needs: 'channels:write',
        summary: 'Change the configuration: it is given by environment variables',
        body: Type.Object({}),
      },
      async () => {
        throw new PatchbayError('not-supported', 'Patchbay is configured by environment variables: npm start -- --help lists them');
      },
    );
  }
}

/** One of Airy's components serves every source of a provider that shares the first part of its name. */
function componentOf(source: string): string {
  return `sources-${source.split('.')[0]}`;
}

function componentView(name: string, connector: Connector) {
  return {
    name,
    repository: 'airy-core',
    displayName: connector.title,
    installationStatus: 'installed',
    availableFor: 'opensource',
    category: connector.category,
    configurationValues: '{}',
    description: connector.description,
    docs: connector.guide,
    isChannel: 'true',
    price: 'Free',
    source: connector.source,
  };
}
