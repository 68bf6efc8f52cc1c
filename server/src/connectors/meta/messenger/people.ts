/** Who the customers are, and the files that they sent. */

import type { MediaRef } from '../../../model/content.ts';
import { ProviderError } from '../../../model/errors.ts';
import type { ConnectorContext, Profile } from '../../connector.ts';
import { compact, type Json, record, records, text } from '../values.ts';
import { type Channel, graphOf, nodeOf } from './account.ts';

const LARGEST = 100 * 1024 * 1024;

/**
 * Name and picture; where the profile is closed to us, the name from the conversation.
 * developers.facebook.com/docs/messenger-platform/identity/user-profile
 */
export async function facebookProfile(identity: { value: string }, channel: Channel, context: ConnectorContext): Promise<Profile> {
  const client = graphOf(channel, context);
  try {
    const person = await client.call(identity.value, { query: { fields: 'first_name,last_name,profile_pic' } });
    return compact({ name: nameOf(person), avatarUrl: text(person.profile_pic) }) ?? {};
  } catch (error) {
    if (!(error instanceof ProviderError) || (error.class !== 'rejected' && error.class !== 'unauthorized')) throw error;
    const talks = await client.call(`${nodeOf(channel)}/conversations`, {
      query: { user_id: identity.value, fields: 'participants' },
    });
    const people = records(talks.data).flatMap((talk) => records(record(talk.participants)?.data));
    const name = text(people.find((person) => text(person.id) === identity.value)?.name);
    if (!name) throw error;
    return { name };
  }
}

/** developers.facebook.com/docs/messenger-platform/instagram/features/user-profile */
export async function instagramProfile(identity: { value: string }, channel: Channel, context: ConnectorContext): Promise<Profile> {
  const person = await graphOf(channel, context).call(identity.value, { query: { fields: 'name,username,profile_pic' } });
  return compact({ name: nameOf(person) ?? text(person.username), avatarUrl: text(person.profile_pic) }) ?? {};
}

function nameOf(person: Json): string | undefined {
  return [text(person.first_name), text(person.last_name)].filter(Boolean).join(' ') || text(person.name);
}

/** Fetches a file from the address in the webhook; Meta's addresses of this kind need no token. */
export async function fetchMedia(
  ref: MediaRef,
  channel: Channel,
  context: ConnectorContext,
): Promise<{ data: Buffer; mimeType?: string; filename?: string }> {
  if (!ref.url) throw new ProviderError('rejected', 'Meta gave no address for the file');
  const answer = await graphOf(channel, context).download(ref.url, { maxBytes: LARGEST });
  const mimeType = answer.headers.get('content-type')?.split(';')[0]?.trim();
  return { data: answer.body, mimeType: mimeType ?? ref.mimeType, filename: ref.filename };
}
