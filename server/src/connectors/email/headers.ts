/** A mail's top-level headers, unfolded and undecoded, as the rules about loops, lists and threads read them. */

export type MailHeaders = ReadonlyMap<string, readonly string[]>;

const MAX_HEADERS = 500;
const MAX_LENGTH = 8_000;

/** Header lines as the parser hands them out → values by lower-case name. */
export function readHeaders(lines: Iterable<{ key: string; line: string }>): MailHeaders {
  const headers = new Map<string, string[]>();
  let count = 0;
  for (const { key, line } of lines) {
    if (++count > MAX_HEADERS) break;
    const value = line
      .slice(line.indexOf(':') + 1, MAX_LENGTH + key.length)
      .replace(/\r?\n\s*/g, ' ')
      .trim();
    const values = headers.get(key);
    if (values) values.push(value);
    else headers.set(key, [value]);
  }
  return headers;
}

/** The header block of some bytes, without a MIME parser: for the parts of reports and for mails that no parser reads. */
export function scanHeaders(text: string): MailHeaders {
  const lines: { key: string; line: string }[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line === '') {
      if (lines.length > 0) break;
      continue;
    }
    const last = lines.at(-1);
    if (/^[ \t]/.test(line) && last) last.line += ` ${line.trim()}`;
    else {
      const colon = line.indexOf(':');
      if (colon > 0) lines.push({ key: line.slice(0, colon).trim().toLowerCase(), line });
    }
    if (lines.length > MAX_HEADERS) break;
  }
  return readHeaders(lines);
}

export function header(headers: MailHeaders, name: string): string | undefined {
  return headers.get(name)?.[0];
}
