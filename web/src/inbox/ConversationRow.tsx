import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import type { Conversation, Message } from '../api/types.ts';
import { useTyping } from '../api/typing.ts';
import { PersonAvatar } from '../components/PersonAvatar.tsx';
import { personName } from '../components/person.ts';
import { fullTime, shortTime } from '../components/time.ts';
import classes from './ConversationList.module.css';
import { summaryOf } from './summary.ts';

export const ConversationRow = memo(function ConversationRow({ conversation, chosen }: { conversation: Conversation; chosen: boolean }) {
  const { contact, lastMessage, lastMessageAt, unreadCount, tags, subject, channelId } = conversation;
  const typing = useTyping(conversation.id);
  const failed = lastMessage?.direction === 'outgoing' && lastMessage.state === 'failed';
  return (
    <Link
      to="/inbox/$conversationId"
      params={{ conversationId: conversation.id }}
      search={true}
      className={classes.row}
      data-chosen={chosen || undefined}
      data-unread={unreadCount > 0 || undefined}
      aria-current={chosen ? 'true' : undefined}
    >
      <PersonAvatar name={personName(contact.computedDisplayName)} imageUrl={contact.avatarUrl} channelId={channelId} />
      <span style={{ minWidth: 0 }}>
        <span className={classes.line}>
          <span className={classes.name}>{personName(contact.computedDisplayName)}</span>
          {lastMessageAt && (
            <time className={classes.time} dateTime={lastMessageAt} title={fullTime(lastMessageAt)}>
              {shortTime(lastMessageAt)}
            </time>
          )}
        </span>
        <span className={classes.line}>
          <span className={classes.preview} data-failed={failed || undefined} data-typing={typing || undefined}>
            {typing ? 'writing…' : previewOf(lastMessage, subject, failed)}
          </span>
          {unreadCount > 0 && (
            <span className={classes.count} role="img" aria-label={`${unreadCount} unread`}>
              {unreadCount > 99 ? '99+' : unreadCount}
            </span>
          )}
        </span>
        {tags.length > 0 && (
          <span className={classes.tags}>
            {tags.map((tag) => (
              <span key={tag} className={classes.tag}>
                {tag}
              </span>
            ))}
          </span>
        )}
      </span>
    </Link>
  );
});

function previewOf(message: Message | null | undefined, subject: string | null, failed: boolean): string {
  if (!message) return subject ?? 'Nothing written yet';
  if (failed) return `Not sent: ${summaryOf(message.content)}`;
  return message.direction === 'outgoing' ? `You: ${summaryOf(message.content)}` : summaryOf(message.content);
}
