/** What a saved reply's `{{variables}}` stand for in a conversation. */
import type { Conversation } from '../model/conversation.ts';
import { getChannel } from '../store/channels.ts';
import { getContacts, identitiesOf } from '../store/contacts.ts';
import type { Client } from '../store/database.ts';

/** By name; undefined for what nobody knows. `conversationId` is written as the surface writes it. */
export async function replyVariables(
  client: Client,
  conversation: Conversation,
  facts: { agent: string | null; conversationId: string },
): Promise<Record<string, string | undefined>> {
  const { workspaceId, contactId, channelId } = conversation;
  const [contact] = await getContacts(client, workspaceId, [contactId]);
  const addresses = await identitiesOf(client, workspaceId, [contactId]);
  const channel = await getChannel(client, workspaceId, channelId);
  const name = contact?.displayName ?? undefined;
  return {
    contact_name: name,
    contact_first_name: name?.split(/\s+/)[0],
    contact_email: addresses.find(({ kind }) => kind === 'emailaddress')?.value,
    contact_phone: addresses.find(({ kind }) => kind === 'phonenumber')?.value,
    conversation_id: facts.conversationId,
    subject: conversation.subject ?? undefined,
    channel_name: channel?.name,
    agent_name: facts.agent ?? undefined,
  };
}
