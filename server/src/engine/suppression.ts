/** Who may not be written to. Every send asks (examine.ts), and once more before it is handed over (delivery.ts). */
import { type Consent, setConsent } from '../store/consent.ts';
import type { Client } from '../store/database.ts';
import { appendEvents, type NewEvent } from '../store/ingest-sql.ts';

/** The event that tells of it. */
export function consentEvent(consent: Consent, contactId: string | null = null): NewEvent {
  const { workspaceId, channelId, kind, value, wants, keyword, by } = consent;
  return { workspaceId, type: 'consent.updated', channelId, contactId, data: { kind, value, wants, keyword, by } };
}

/** Records what an address wants, and tells; what was known already is told nobody. */
export async function recordConsent(client: Client, consent: Consent, contactId: string | null = null): Promise<void> {
  if (await setConsent(client, consent)) await appendEvents(client, [consentEvent(consent, contactId)]);
}
