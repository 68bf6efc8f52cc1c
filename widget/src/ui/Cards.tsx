import type { CardView } from '../content.ts';
import { useUi } from './context.ts';

/** One card, or several side by side; the focus moving through their buttons brings them into sight. */
export function Cards({ cards }: { cards: CardView[] }) {
  const { chat } = useUi();
  return (
    <div class="strip">
      {cards.map((card, index) => (
        <article key={String(index)} class="card">
          {card.image && <img src={card.image} alt={card.alt ?? ''} loading="lazy" />}
          <div class="card-text">
            {card.title && <strong>{card.title}</strong>}
            {card.description && <p>{card.description}</p>}
          </div>
          {card.actions.map((action) =>
            'href' in action ? (
              <a key={action.text} href={action.href} target="_blank" rel="noopener noreferrer nofollow">
                {action.text}
              </a>
            ) : (
              <button
                key={action.text}
                type="button"
                disabled={chat.state.phase === 'ended'}
                onClick={() => chat.send({ type: 'suggestionResponse', text: action.text, postbackData: action.postback })}
              >
                {action.text}
              </button>
            ),
          )}
        </article>
      ))}
    </div>
  );
}
