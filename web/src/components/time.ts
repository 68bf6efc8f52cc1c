/** Times as people read them, in the browser's own language. */

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const longDay = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const thisYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const otherYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const dayTime = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function clockTime(at: string): string {
  return clock.format(new Date(at));
}

export function fullTime(at: string): string {
  return full.format(new Date(at));
}

/** A time that is not far: “Mon, 30 Nov, 09:00”. */
export function dayAndTime(at: string): string {
  return dayTime.format(new Date(at));
}

/** As short as it can be: a time today, a weekday this week, else a date. */
export function shortTime(at: string, now = new Date()): string {
  const date = new Date(at);
  if (date.toDateString() === now.toDateString()) return clock.format(date);
  if (now.getTime() - date.getTime() < 6 * DAY) return weekday.format(date);
  return date.getFullYear() === now.getFullYear() ? thisYear.format(date) : otherYear.format(date);
}

/** The heading above a day's messages. */
export function dayHeading(at: string, now = new Date()): string {
  const date = new Date(at);
  if (date.toDateString() === now.toDateString()) return 'Today';
  if (date.toDateString() === new Date(now.getTime() - DAY).toDateString()) return 'Yesterday';
  return date.getFullYear() === now.getFullYear() ? longDay.format(date) : otherYear.format(date);
}

/** “12 minutes ago”; “never” for what did not happen. */
export function ago(at: string | null | undefined, now = Date.now()): string {
  if (!at) return 'never';
  const passed = new Date(at).getTime() - now;
  const size = Math.abs(passed);
  if (size < MINUTE) return 'just now';
  if (size < HOUR) return relative.format(Math.round(passed / MINUTE), 'minute');
  if (size < DAY) return relative.format(Math.round(passed / HOUR), 'hour');
  return relative.format(Math.round(passed / DAY), 'day');
}

/** What is left of a span: “3 h 12 min”. */
export function timeLeft(ms: number): string {
  const minutes = Math.max(1, Math.floor(ms / MINUTE));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}
