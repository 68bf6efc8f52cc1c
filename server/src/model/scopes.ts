/** What keys may do. A write scope also reads; `*` may everything. */
export const SCOPES = [
  'channels:read',
  'channels:write',
  'conversations:read',
  'conversations:write',
  'messages:read',
  'messages:write',
  'contacts:read',
  'contacts:write',
  'templates:read',
  'templates:write',
  'webhooks:read',
  'webhooks:write',
  'events:read',
  'keys:read',
  'keys:write',
] as const;

/** Scopes of the neighbouring products' areas, which keys may carry so that the same key serves both. */
const NEIGHBOURS = /^(tickets|kb|users|webhooks|calls|usage|config|numbers|integrations|domains):(read|write|manage)$/;

export type Scope = (typeof SCOPES)[number];

export function isScope(value: string): boolean {
  return value === '*' || (SCOPES as readonly string[]).includes(value) || NEIGHBOURS.test(value);
}

/** True when one of the key's scopes covers the one that is needed. */
export function allows(granted: readonly string[], needed: string): boolean {
  if (granted.includes('*') || granted.includes(needed)) return true;
  const [area, verb] = needed.split(':');
  return verb === 'read' && (granted.includes(`${area}:write`) || granted.includes(`${area}:manage`));
}
