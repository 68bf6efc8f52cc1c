const NAMELESS = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What to call somebody: their name or address; visitors who told neither by the end of their id, which tells them apart. */
export function personName(name: string): string {
  if (!name) return 'Somebody';
  return NAMELESS.test(name) ? `Visitor ${name.slice(-4)}` : name;
}
