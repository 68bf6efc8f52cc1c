import type { CatalogEntry, Webhook } from '../api/types.ts';

const KINDS = [
  { value: 'inbound', words: 'a message came in' },
  { value: 'outbound', words: 'a message went out, or its state changed' },
  { value: 'interaction', words: 'somebody read or reacted' },
];

const OTHERS = [
  { value: 'conversation.created', label: 'A conversation began' },
  { value: 'conversation.updated', label: 'A conversation changed' },
  { value: 'channel.created', label: 'A channel was connected' },
];

/** What can be subscribed to, in groups: a source's messages each, then what is about no source. */
export function eventChoices(catalog: CatalogEntry[]): { group: string; items: { value: string; label: string }[] }[] {
  const sources = new Map(catalog.map(({ platformId, title }) => [platformId, title]));
  return [
    { group: 'Whatever the source', items: OTHERS },
    ...[...sources].map(([platformId, title]) => ({
      group: title,
      items: KINDS.map(({ value, words }) => ({ value: `${platformId}.${value}`, label: `${title}: ${words}` })),
    })),
  ];
}

/** An event in words; as it is called where it is not known here. */
export function eventWords(event: string, catalog: CatalogEntry[] = []): string {
  const known = eventChoices(catalog).flatMap(({ items }) => items);
  return known.find(({ value }) => value === event)?.label ?? event;
}

export function serviceOf(event: string): Webhook['service'] {
  return event.startsWith('conversation.') ? 'conversations' : 'channels';
}

/** A key as the Standard Webhooks libraries want it. */
export function newSigningKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
