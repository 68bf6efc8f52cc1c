import { IconExternalLink, IconMapPin, IconPhone } from '@tabler/icons-react';
import type { Action, Card } from '../../../../server/src/model/content.ts';
import classes from './content.module.css';
import { LinkedText } from './LinkedText.tsx';

/** Rich cards side by side. */
export function CardsView({ text, cards }: { text?: string; cards: Card[] }) {
  return (
    <div>
      {text && <LinkedText text={text} />}
      <div className={classes.cards}>
        {cards.map((card, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a sent card never moves.
          <article key={index} className={classes.card}>
            {card.media?.url && <img src={card.media.url} alt="" loading="lazy" />}
            <div className={classes.cardText}>
              {card.title && <strong>{card.title}</strong>}
              {card.text && <LinkedText text={card.text} />}
            </div>
            {card.actions?.map((action) => (
              <ActionView key={`${action.type} ${action.text}`} action={action} />
            ))}
          </article>
        ))}
      </div>
    </div>
  );
}

function ActionView({ action }: { action: Action }) {
  switch (action.type) {
    case 'url':
      return (
        <a className={classes.action} href={/^https?:/i.test(action.url) ? action.url : undefined} target="_blank" rel="noreferrer">
          <IconExternalLink size={15} aria-hidden /> {action.text}
        </a>
      );
    case 'call':
      return (
        <a className={classes.action} href={`tel:${action.phone}`}>
          <IconPhone size={15} aria-hidden /> {action.text}
        </a>
      );
    case 'location':
      return (
        <span className={classes.action}>
          <IconMapPin size={15} aria-hidden /> {action.text}
        </span>
      );
    case 'reply':
      return <span className={classes.action}>{action.text}</span>;
  }
}
