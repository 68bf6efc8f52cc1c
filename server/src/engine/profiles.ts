/** Fetches the names and pictures of people whom the provider named by an id only. */
import { ProviderError } from '../model/errors.ts';
import { getChannel } from '../store/channels.ts';
import { setProfileState, updateProfile } from '../store/contacts.ts';
import { appendEvents } from '../store/ingest-sql.ts';
import type { Engine } from './engine.ts';
import { Worker } from './worker.ts';

type Parts = Pick<Engine, 'database' | 'channels' | 'contexts' | 'log'>;

interface WantedProfile {
  workspaceId: string;
  contactId: string;
  channelId: string;
  conversationId: string;
  kind: string;
  value: string;
}

export function profileFetcher(parts: Parts): Worker {
  return new Worker({
    name: 'profiles',
    restMs: 1_000,
    log: parts.log,
    work: async () => {
      const wanted = await claim(parts);
      await Promise.all(wanted.map((profile) => fetchOne(parts, profile)));
      return wanted.length;
    },
  });
}

/** Marks them as failed until they are there: a process that dies does not leave them to be asked for in a circle. */
async function claim(parts: Parts): Promise<WantedProfile[]> {
  const result = await parts.database.query<WantedProfile>(
    `with wanted as (
       select workspace_id, id from contacts where profile_state = 'wanted' limit 8 for update skip locked),
     taken as (
       update contacts k set profile_state = 'failed' from wanted where k.workspace_id = wanted.workspace_id and k.id = wanted.id
       returning k.workspace_id, k.id)
     select distinct on (taken.id) taken.workspace_id as "workspaceId", taken.id as "contactId", c.channel_id as "channelId",
       c.id as "conversationId", i.kind, i.value
     from taken
     join conversations c on c.workspace_id = taken.workspace_id and c.contact_id = taken.id
     join identities i on i.workspace_id = taken.workspace_id and i.contact_id = taken.id
     order by taken.id, i.created_at`,
  );
  return result.rows;
}

async function fetchOne(parts: Parts, wanted: WantedProfile): Promise<void> {
  const { workspaceId, contactId, channelId, conversationId } = wanted;
  const channel = await getChannel(parts.database, workspaceId, channelId);
  if (!channel) return;
  const connector = parts.channels.connectorOf(channel.source);
  if (!connector.profile) return;
  try {
    const context = parts.contexts.for({ workspaceId, channelId, sandbox: channel.sandbox });
    const profile = await connector.profile(wanted, parts.channels.view(channel), context);
    await parts.database.transaction(async (client) => {
      await setProfileState(client, workspaceId, contactId, 'ok');
      await updateProfile(client, workspaceId, contactId, profile);
      await appendEvents(client, [{ workspaceId, type: 'contact.updated', channelId, conversationId, contactId }]);
    });
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    parts.log.info({ contact: contactId, class: error.class }, `a profile could not be fetched: ${error.message}`);
  }
}
