import type { ContactSummary, Message } from '../api/types.ts';
import { PersonAvatar } from '../components/PersonAvatar.tsx';
import { personName } from '../components/person.ts';
import { clockTime } from '../components/time.ts';
import classes from './Bubble.module.css';
import { Bubble } from './Bubble.tsx';
import type { Group } from './grouping.ts';

interface Props {
  group: Group;
  contact: ContactSummary;
  byId: Map<string, Message>;
  onReplyTo: (message: Message) => void;
}

export function MessageGroup({ group, contact, byId, onReplyTo }: Props) {
  if (group.side === 'system') {
    return group.messages.map((message) => (
      <p key={message.id} className={classes.system}>
        {message.content.type === 'system' ? message.content.text : ''} · {clockTime(message.createdAt)}
      </p>
    ));
  }
  const name = group.side === 'incoming' ? personName(contact.computedDisplayName) : group.sender || 'You';
  return (
    <div className={classes.group} data-side={group.side}>
      {group.side === 'incoming' && (
        <span className={classes.avatar}>
          <PersonAvatar name={personName(contact.computedDisplayName)} imageUrl={contact.avatarUrl} size={28} />
        </span>
      )}
      <div className={classes.stack}>
        <span className={classes.sender}>{name}</span>
        {group.messages.map((message, index) => (
          <Bubble
            key={message.id}
            message={message}
            answered={message.replyTo ? byId.get(message.replyTo.id) : undefined}
            last={index === group.messages.length - 1}
            onReplyTo={() => onReplyTo(message)}
          />
        ))}
      </div>
    </div>
  );
}
