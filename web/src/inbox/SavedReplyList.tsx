import type { RenderedReply } from '../api/templates.ts';
import type { SavedReply } from '../api/types.ts';
import { ButtonLink } from '../components/ButtonLink.tsx';
import classes from './Composer.module.css';

export const REPLY_LIST = 'saved-replies';

export function optionId(reply: SavedReply): string {
  return `saved-reply-${reply.id}`;
}

interface Props {
  items: SavedReply[];
  activeId?: string;
  /** The active one as it would be inserted. */
  preview?: RenderedReply;
  /** Nothing fits what was written. */
  empty: boolean;
  /** There is none at all. */
  none: boolean;
  problem?: Error | null;
  choose: (reply: SavedReply) => void;
}

/** The saved replies that fit, and the chosen one with everything filled in. */
export function SavedReplyList({ items, activeId, preview, empty, none, problem, choose }: Props) {
  return (
    <div className={classes.replies}>
      {problem && <div role="alert">{problem.message}</div>}
      {none && (
        <div className={classes.noReplies}>
          There is no saved reply yet.
          <ButtonLink to="/replies" size="compact-xs" variant="light">
            Write one
          </ButtonLink>
        </div>
      )}
      {empty && !none && <div className={classes.noReplies}>No saved reply fits.</div>}
      {items.length > 0 && (
        <div id={REPLY_LIST} className={classes.replyList} role="listbox" aria-label="Saved replies">
          {items.map((reply) => (
            <button
              key={reply.id}
              id={optionId(reply)}
              type="button"
              role="option"
              tabIndex={-1}
              aria-selected={optionId(reply) === activeId}
              className={classes.option}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => choose(reply)}
            >
              <strong>{reply.title}</strong>
              <span>{reply.body}</span>
            </button>
          ))}
        </div>
      )}
      {preview && items.length > 0 && (
        <div className={classes.filled}>
          {preview.text}
          {preview.unresolved.length > 0 && (
            <div className={classes.unresolved}>Not known here: {preview.unresolved.map((name) => `{{${name}}}`).join(', ')}</div>
          )}
        </div>
      )}
    </div>
  );
}
