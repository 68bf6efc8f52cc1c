import type { Engine } from '../../engine/engine.ts';
import type { Contact, Identity } from '../../model/contact.ts';
import { isOpen, type Conversation as Row } from '../../model/conversation.ts';
import { getMessages } from '../../store/messages.ts';
import { addressOn, showMessages, surroundingsOf } from './message-view.ts';
import { platformOf } from './platforms.ts';
import { iso } from './schemas/common.ts';
import type { Conversation } from './schemas/conversation.ts';
import { windowOf, windowRuleOf } from './windows.ts';

/** What a person reads as the contact's name: the name, else the first address. */
export function displayNameOf(contact: Pick<Contact, 'displayName'> | undefined, identities: Identity[] = []): string {
  return contact?.displayName ?? identities[0]?.value ?? '';
}

export function identifiersOf(identities: Identity[] = []): { key: string; value: string }[] {
  return identities.map(({ kind, value }) => ({ key: kind, value }));
}

/** Conversations with their newest messages; everything that they refer to is loaded once for all of them. */
export async function showConversations(engine: Engine, workspaceId: string, rows: Row[]): Promise<Conversation[]> {
  const lastIds = rows.flatMap((row) => (row.lastMessageId ? [row.lastMessageId] : []));
  const [around, last] = await Promise.all([
    surroundingsOf(engine, workspaceId, rows),
    getMessages(engine.database, workspaceId, lastIds).then((messages) => showMessages(engine, workspaceId, messages)),
  ]);
  const lastById = new Map(last.map((message) => [message.id, message]));
  return rows.map((row) => {
    const channel = around.channels.get(row.channelId);
    const contact = around.contacts.get(row.contactId);
    const identities = around.identities.get(row.contactId);
    const lastMessage = row.lastMessageId ? lastById.get(row.lastMessageId) : undefined;
    const name = row.metadata.name;
    return {
      id: row.id,
      name: typeof name === 'string' ? name : null,
      status: isOpen(row) ? 'active' : 'closed',
      channelId: row.channelId,
      platformId: channel ? platformOf(channel.source) : '',
      contact: {
        id: row.contactId,
        computedDisplayName: displayNameOf(contact, identities),
        avatarUrl: contact?.avatarUrl ?? null,
        identifiers: identifiersOf(identities),
      },
      unreadCount: row.unreadCount,
      tags: row.tags,
      subject: row.subject,
      ...(lastMessage ? { lastMessage } : {}),
      lastMessageAt: iso(row.lastMessageAt),
      lastMessageIncomingAt: iso(row.lastInboundAt),
      featuredParticipants: [participantOf(row, contact, identities, addressOn(engine, channel, identities))],
      activeParticipantCount: 1,
      pendingParticipantCount: 0,
      ...windowOf(channel ? windowRuleOf(engine, channel) : null, row.windowExpiresAt),
      createdAt: iso(row.createdAt),
      updatedAt: iso(row.updatedAt),
    };
  });
}

function participantOf(
  { contactId }: Row,
  contact: Contact | undefined,
  identities: Identity[] | undefined,
  address: Identity | undefined,
): Conversation['featuredParticipants'][number] {
  return {
    id: contactId,
    type: 'contact',
    status: 'active',
    displayName: displayNameOf(contact, identities),
    avatarUrl: contact?.avatarUrl ?? null,
    contact: address ? { identifierKey: address.kind, identifierValue: address.value } : {},
  };
}

export async function showConversation(engine: Engine, row: Row): Promise<Conversation> {
  return (await showConversations(engine, row.workspaceId, [row]))[0]!;
}
