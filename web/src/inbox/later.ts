/** When a message may go out later, in the browser's own time zone. */

/** How far ahead the server takes a message. */
const FURTHEST_DAYS = 35;

export interface Choice {
  label: string;
  at: Date;
}

/** Times that people mean most often, none of them past. */
export function choices(now: Date): Choice[] {
  const at = (days: number, hour: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour);
  const untilMonday = (8 - now.getDay()) % 7 || 7;
  return [
    { label: 'In an hour', at: new Date(Math.ceil((now.getTime() + 3_600_000) / 60_000) * 60_000) },
    { label: 'This evening', at: at(0, 18) },
    { label: 'Tomorrow morning', at: at(1, 9) },
    ...(untilMonday > 1 ? [{ label: 'On Monday', at: at(untilMonday, 9) }] : []),
  ].filter(({ at }) => at.getTime() > now.getTime() + 60_000);
}

/** The form in which a date field has a time: `2026-12-24T18:00`. */
export function fieldValue(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** What is wrong with a time that somebody chose; undefined when it can be. */
export function problemOf(value: string, now: Date): string | undefined {
  const at = new Date(value);
  if (Number.isNaN(at.getTime())) return 'Choose a day and a time';
  if (at <= now) return 'That time is over';
  if (at.getTime() > now.getTime() + FURTHEST_DAYS * 86_400_000) return `At most ${FURTHEST_DAYS} days ahead`;
  return undefined;
}
