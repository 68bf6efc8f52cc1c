export interface TextPart {
  /** Where the part begins. */
  at: number;
  part: string;
  href?: string;
}

const LINK = /\bhttps?:\/\/[^\s<>"']+|\bwww\.[^\s<>"']+|\b[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+/gi;

/** Splits a text where its web and mail addresses begin and end; punctuation behind an address does not belong to it. */
export function linkParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const part = trimEnd(match[0]);
    const href = hrefOf(part);
    if (!href) continue;
    if (match.index > from) parts.push({ at: from, part: text.slice(from, match.index) });
    parts.push({ at: match.index, part, href });
    from = match.index + part.length;
  }
  if (from < text.length) parts.push({ at: from, part: text.slice(from) });
  return parts;
}

function trimEnd(address: string): string {
  const trimmed = address.replace(/[.,;:!?…]+$/, '');
  // “(see https://example.com/a_(b))”: a closing bracket belongs to the address only where it was opened in it.
  return trimmed.endsWith(')') && !trimmed.includes('(') ? trimEnd(trimmed.slice(0, -1)) : trimmed;
}

function hrefOf(part: string): string | undefined {
  if (/^https?:/i.test(part)) return URL.canParse(part) ? part : undefined;
  if (/^www\./i.test(part)) return URL.canParse(`https://${part}`) ? `https://${part}` : undefined;
  return `mailto:${part}`;
}
