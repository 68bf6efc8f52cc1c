const NAMELESS = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What to call somebody: their name or address; visitors who told neither by the end of their id, which tells them apart. */
export function personName(name: string): string {
  if (!name) return 'Somebody';
  return NAMELESS.test(name) ? `Visitor ${name.slice(-4)}` : name;
}

/** The first letters of a name's first and last word; empty for numbers and signs. */
export function initialsOf(name: string): string {
  const letters = name.split(/\s+/).flatMap((word) => /^\p{P}*(\p{L})/u.exec(word)?.[1] ?? []);
  return [letters[0], letters.length > 1 ? letters.at(-1) : undefined].join('').toLocaleUpperCase();
}
