/** A message as Gmail gives it in the format `raw`: JSON with the whole mail as one base64url string, read as it comes. */
import type { Kept, Spool } from '../connector.ts';

export interface RawMessage {
  raw: Kept;
  threadId?: string;
  labelIds?: string[];
  internalDate?: string;
}

const FIELD = /"raw"\s*:\s*"/;
/** The other fields of a message are few. */
const MAX_REST = 1_000_000;

/** Undefined when there is no mail in it. Throws what the spool throws, and on what is no JSON. */
export async function readRawMessage(body: AsyncIterable<Buffer>, spool: Spool): Promise<RawMessage | undefined> {
  const rest: string[] = [];
  const kept = await spool.keep(decoded(body, rest));
  const fields = JSON.parse(rest.join('')) as Omit<RawMessage, 'raw'> & { raw?: string };
  return fields.raw === undefined ? undefined : { ...fields, raw: kept };
}

/** The mail's bytes; everything around them goes to `rest`, the field itself as an empty string. */
async function* decoded(body: AsyncIterable<Buffer>, rest: string[]): AsyncGenerator<Buffer> {
  let where: 'before' | 'inside' | 'behind' = 'before';
  let held = '';
  let length = 0;
  for await (const chunk of body) {
    held += chunk.toString('latin1');
    if (where === 'before') {
      const start = FIELD.exec(held);
      if (!start) {
        if (held.length > MAX_REST) throw new Error('a message of Gmail without a mail in it');
        continue;
      }
      const end = start.index + start[0].length;
      rest.push(held.slice(0, end));
      held = held.slice(end);
      where = 'inside';
    }
    if (where === 'inside') {
      const quote = held.indexOf('"');
      // Four letters are three bytes.
      const whole = quote < 0 ? held.length - (held.length % 4) : quote;
      if (whole > 0) yield Buffer.from(held.slice(0, whole), 'base64url');
      held = held.slice(whole);
      if (quote >= 0) where = 'behind';
    }
    if (where === 'behind') {
      length += held.length;
      if (length > MAX_REST) throw new Error('a message of Gmail with too much around its mail');
      rest.push(held);
      held = '';
    }
  }
  rest.push(held);
}
