/** How many parts an SMS is sent and billed in: GSM 03.38 and the way Twilio fills the parts. */

const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
/** Sent as an escape and a character: two units each. */
const EXTENDED = '\f^{}\\[~]|€';

const UNITS = new Map<string, number>([
  ...[...BASIC].map((char) => [char, 1] as [string, number]),
  ...[...EXTENDED].map((char) => [char, 2] as [string, number]),
]);

export interface SegmentCount {
  encoding: 'GSM-7' | 'UCS-2';
  segments: number;
  /** Units of 7 or 16 bits. */
  units: number;
  /** Units that still fit into the last part. */
  remaining: number;
  /** Characters that force UCS-2, so that a writer can swap them. */
  unicode: string[];
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Counts the parts of a text. One part holds 160 GSM-7 or 70 UCS-2 units; of several, each holds 153 or 67, since a
 * header joins them. A character of several units is never split over two parts.
 */
export function countSegments(text: string): SegmentCount {
  const unicode = [...new Set([...text].filter((char) => !UNITS.has(char)))];
  const gsm = unicode.length === 0;
  const sizes = gsm ? [...text].map((char) => UNITS.get(char)!) : wholeCharacters(text);
  const units = sizes.reduce((sum, size) => sum + size, 0);
  const encoding = gsm ? 'GSM-7' : 'UCS-2';
  const single = gsm ? 160 : 70;
  if (units <= single) return { encoding, segments: 1, units, remaining: single - units, unicode };
  return { encoding, units, unicode, ...fill(sizes, gsm ? 153 : 67) };
}

function wholeCharacters(text: string): number[] {
  // A line break of two characters is a grapheme to Unicode, and two characters to an SMS.
  return [...graphemes.segment(text)].flatMap(({ segment }) => (segment === '\r\n' ? [1, 1] : [segment.length]));
}

function fill(sizes: number[], capacity: number): { segments: number; remaining: number } {
  let segments = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > capacity) {
      segments += 1;
      used = 0;
    }
    used += size;
  }
  return { segments, remaining: Math.max(capacity - used, 0) };
}
