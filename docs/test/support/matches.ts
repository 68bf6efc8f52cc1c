/** Compares what an example printed with what its page says; `…` stands for anything. */

/** Why they differ, with the place; undefined when they do not. Objects may have more than the page shows. */
export function difference(expected: unknown, actual: unknown, path = '$'): string | undefined {
  if (typeof expected === 'string') {
    if (expected === '…') return undefined;
    if (typeof actual === 'string' && pattern(expected).test(actual)) return undefined;
    return differs(expected, actual, path);
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return differs(expected, actual, path);
    const open = expected.at(-1) === '…';
    const shown = open ? expected.slice(0, -1) : expected;
    if (open ? actual.length < shown.length : actual.length !== shown.length) {
      return `${path}: ${shown.length} expected, ${actual.length} there: ${JSON.stringify(actual)}`;
    }
    return first(shown.map((item, index) => difference(item, actual[index], `${path}[${index}]`)));
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return differs(expected, actual, path);
    const fields = Object.entries(expected).filter(([name]) => name !== '…');
    return first(
      fields.map(([name, value]) =>
        name in actual ? difference(value, (actual as Record<string, unknown>)[name], `${path}.${name}`) : `${path}.${name} is missing`,
      ),
    );
  }
  return Object.is(expected, actual) ? undefined : differs(expected, actual, path);
}

/** As `difference`, for lines: each line of the page appears, in this order; lines between them are skipped. */
export function lineDifference(expected: string, actual: string): string | undefined {
  const lines = actual.split(/\r?\n/);
  let at = 0;
  for (const wanted of expected.split('\n').filter((line) => line.trim() !== '')) {
    const found = lines.findIndex((line, index) => index >= at && pattern(wanted.trim()).test(line.trim()));
    if (found === -1) return `no line ${JSON.stringify(wanted)} in:\n${actual}`;
    at = found + 1;
  }
  return undefined;
}

function pattern(text: string): RegExp {
  const parts = text.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[\\s\\S]*')}$`);
}

function differs(expected: unknown, actual: unknown, path: string): string {
  return `${path}: ${JSON.stringify(expected)} expected, ${JSON.stringify(actual)} there`;
}

function first(reasons: (string | undefined)[]): string | undefined {
  return reasons.find((reason) => reason !== undefined);
}
