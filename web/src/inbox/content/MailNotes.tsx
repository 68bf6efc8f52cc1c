import type { MailAddress } from '../../../../server/src/model/content.ts';
import classes from './content.module.css';

/** What is known of a mail beside what it says: the workspace surface's `content.facts`. */
export interface MailFacts {
  auth?: { spf?: string; dkim?: string; dmarc?: string };
  automatic?: string;
  forwardedBy?: MailAddress;
  calendar?: { method?: string; summary?: string; start?: string; end?: string; location?: string; organizer?: string };
  problem?: string;
  threadedBy?: string;
  rejected?: string[];
}

/** What a reader should know before answering, one line each; nothing for an ordinary mail. */
export function MailNotes({ facts }: { facts: MailFacts | undefined }) {
  if (!facts) return null;
  const { auth, automatic, forwardedBy, calendar, problem, threadedBy, rejected } = facts;
  const warnings = [
    auth?.dmarc === 'fail' && 'The sender may not be who it says: its domain did not vouch for this mail (DMARC failed).',
    problem && `This mail could not be read completely: ${problem}`,
    rejected?.length && `Not delivered to ${rejected.join(', ')}.`,
  ].filter((line) => typeof line === 'string');
  const notes = [
    forwardedBy && `Forwarded by ${forwardedBy.name || forwardedBy.address}.`,
    automatic && 'Written by a program; it is not answered automatically.',
    threadedBy === 'subject' && 'Put into this conversation because of its subject alone.',
    calendar && `Invitation: ${[calendar.summary, calendar.start && timeOf(calendar.start), calendar.location].filter(Boolean).join(', ')}`,
  ].filter((line) => typeof line === 'string');
  if (warnings.length + notes.length === 0) return null;
  return (
    <ul className={classes.notes}>
      {warnings.map((line) => (
        <li key={line} className={classes.warning}>
          {line}
        </li>
      ))}
      {notes.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

const ICS_TIME = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?(.*)$/;

/** `20270101T120000Z` in the reader's own time; one with another zone as it stands, since the browser may not know that zone. */
function timeOf(written: string): string {
  const found = ICS_TIME.exec(written);
  if (!found) return written;
  const [, year, month, day, hour, minute, utc, zone] = found;
  if (hour === undefined) return `${year}-${month}-${day}`;
  if (utc)
    return new Date(`${year}-${month}-${day}T${hour}:${minute}:00Z`).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  return `${year}-${month}-${day} ${hour}:${minute}${zone}`;
}
