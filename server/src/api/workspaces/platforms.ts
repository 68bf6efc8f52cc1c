/** The document's platform ids know no dots, and Bird's users know other names than Airy's: the one table between them. */
import type { Connector } from '../../connectors/connector.ts';

const PLATFORM_OF: Record<string, string> = {
  'twilio.sms': 'sms',
  'twilio.whatsapp': 'whatsapp-twilio',
  'twilio.voice': 'voice',
};

const SOURCE_OF = new Map(Object.entries(PLATFORM_OF).map(([source, platform]) => [platform, source]));

/** The platform id of a source: letters, digits and hyphens only. */
export function platformOf(source: string): string {
  return PLATFORM_OF[source] ?? source.replace(/[^A-Za-z0-9-]/g, '-');
}

/** The source that somebody means by a platform id or by a source's own name. */
export function sourceOf(name: string, connectors: readonly Connector[] = []): string {
  const known = SOURCE_OF.get(name);
  if (known) return known;
  return connectors.find((connector) => connector.source !== name && platformOf(connector.source) === name)?.source ?? name;
}
