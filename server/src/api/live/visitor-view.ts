/** How a message is shown to the visitor: as on the Airy surface, without what is only the business's own. */
import type { Message } from '../../model/message.ts';
import { contentOf, type MessageView, type NativeWriter } from '../airy/views.ts';

export function visitorMessageView(message: Message, write: NativeWriter): MessageView {
  const fromContact = message.direction === 'in';
  return {
    id: message.id,
    content: contentOf(message, write),
    sent_at: message.sentAt.toISOString(),
    delivery_state: visitorState(message),
    from_contact: fromContact,
    source: message.source,
    metadata: null,
    // A visitor is nobody but their own conversation; the names of keys and people inside are none of theirs.
    sender: { id: fromContact ? message.conversationId : (message.senderId ?? ''), name: null, avatar_url: null },
  };
}

/** Finer than Airy's three, so that the widget knows what it has acknowledged and what the business has read. */
function visitorState(message: Message): string {
  if (message.direction === 'in') return message.metadata.user_read === undefined ? 'delivered' : 'read';
  switch (message.state) {
    case 'scheduled':
    case 'pending':
    case 'unknown':
      return 'pending';
    default:
      return message.state;
  }
}
