/** What the contact did with a message. Reading is one of these, never a status (B34). */
import { uuidOf } from '../../model/ids.ts';
import type { Message as Row } from '../../model/message.ts';
import { platformOf } from './platforms.ts';
import { iso } from './schemas/common.ts';
import type { INTERACTION_TYPES, Interaction, Message } from './schemas/message.ts';

export function interactionsOf(row: Row, shown: Message): Interaction[] {
  const of = (type: (typeof INTERACTION_TYPES)[number], at: Date, metadata: Record<string, unknown>): Interaction => ({
    id: uuidOf(`${type} of ${row.id}`),
    messageId: row.id,
    channelId: row.channelId,
    platformId: platformOf(row.source),
    type,
    messageReference: shown.reference ?? '',
    messagePartsCount: shown.parts.length,
    messageTags: shown.tags ?? [],
    receiver: { contacts: shown.receiver.contacts ?? (shown.sender.contact ? [shown.sender.contact] : []) },
    createdAt: iso(at),
    metadata,
  });
  const interactions: Interaction[] = [];
  if (row.state === 'read') interactions.push(of('read', row.stateAt, {}));
  const reaction = row.metadata.reaction as { emoji?: string; sent_at?: string } | null | undefined;
  if (reaction?.emoji) {
    const at = new Date(Number(reaction.sent_at));
    const valid = Number.isNaN(at.getTime()) ? row.updatedAt : at;
    interactions.push(of('reaction', valid, { reaction: { emoji: reaction.emoji, action: 'react' } }));
  }
  return interactions;
}
