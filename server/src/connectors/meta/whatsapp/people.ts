/** Who somebody is on WhatsApp: telephone number, business-scoped user ids, username. */
import type { Party } from '../../events.ts';
import { digitsOf, type Json, record, text } from '../values.ts';

/** Whose name and addresses a webhook tells beside a message; never another one's. */
export function personOf(people: Json[], phone: string | undefined, userId: string | undefined): Json | undefined {
  const match = people.find((person) => (phone && text(person.wa_id) === phone) || (userId && text(person.user_id) === userId));
  if (match || people.length !== 1) return match;
  const only = people[0]!;
  const contradicts =
    (phone && text(only.wa_id) && text(only.wa_id) !== phone) || (userId && text(only.user_id) && text(only.user_id) !== userId);
  return contradicts ? undefined : only;
}

/** A person by every address: telephone number, business-scoped user ids, username. */
export function party(phone: string | undefined, userId: string | undefined, parentId: string | undefined, person?: Json): Party {
  const identities: Party['identities'] = [];
  const add = (kind: string, value: string | undefined) => {
    if (value && !identities.some((known) => known.kind === kind && known.value === value)) identities.push({ kind, value });
  };
  const profile = record(person?.profile);
  add('phonenumber', e164(phone) ?? e164(text(person?.wa_id)));
  add('whatsappbsuid', userId ?? text(person?.user_id));
  add('whatsappbsuid', parentId ?? text(person?.parent_user_id));
  add('whatsappusername', text(profile?.username) ?? text(person?.username));
  const name = text(profile?.name);
  return name ? { identities, name } : { identities };
}

export function e164(phone: string | undefined): string | undefined {
  const digits = phone ? digitsOf(phone) : '';
  return digits ? `+${digits}` : undefined;
}
