/** The few lines of an invitation (RFC 5545) that a person needs to see beside the mail. */

export interface Invitation {
  method?: string;
  summary?: string;
  start?: string;
  end?: string;
  location?: string;
  organizer?: string;
}

const FIELDS: Record<string, keyof Invitation> = {
  METHOD: 'method',
  SUMMARY: 'summary',
  DTSTART: 'start',
  DTEND: 'end',
  LOCATION: 'location',
  ORGANIZER: 'organizer',
};

/** The first event of a calendar part; times are given as they stand, with their zone where one is named. */
export function readInvitation(ics: string): Invitation {
  const invitation: Invitation = {};
  let zoneRules = false;
  for (const line of ics
    .slice(0, 200_000)
    .replace(/\r?\n[ \t]/g, '')
    .split(/\r?\n/)) {
    if (/^(?:BEGIN|END):VTIMEZONE/i.test(line)) zoneRules = line.toUpperCase().startsWith('BEGIN');
    if (/^END:VEVENT/i.test(line)) break;
    if (zoneRules) continue;
    const colon = line.indexOf(':');
    const [name = '', ...parameters] = line.slice(0, Math.max(colon, 0)).split(';');
    const field = FIELDS[name.toUpperCase()];
    if (!field || invitation[field] !== undefined) continue;
    const value = line
      .slice(colon + 1, colon + 500)
      .replace(/\\n/gi, ' ')
      .replace(/\\([,;\\])/g, '$1');
    const zone = parameters.find((parameter) => /^TZID=/i.test(parameter))?.slice(5);
    invitation[field] = field === 'organizer' ? value.replace(/^mailto:/i, '') : zone ? `${value} ${zone}` : value;
  }
  return invitation;
}
