import { onlyEmoji, type Piece, pieces, viewOf } from '../content.ts';
import { kindOf } from '../settings.ts';
import { Cards } from './Cards.tsx';
import { useUi } from './context.ts';
import { Avatar } from './Header.tsx';
import { CheckIcon, ChecksIcon, ClockIcon, FileIcon } from './icons.tsx';
import type { Line } from './Messages.tsx';

/** Messages of one side that belong together, with the sender's picture, the time, and how far the last one got. */
export function Group({ lines, last }: { lines: Line[]; last: boolean }) {
  const { texts, channel, language } = useUi().settings;
  const { own, sender, at } = lines[0]!;
  const end = lines.at(-1)!;
  const name = own ? texts.you : (sender?.name ?? channel.name ?? texts.support);
  const time = at > 0 && new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit' }).format(end.at);
  return (
    <div class={`group ${own ? 'own' : 'theirs'}`}>
      {!own && <Avatar name={name} image={sender?.avatar_url ?? (sender?.name ? undefined : channel.image_url)} />}
      <div class="stack">
        {!own && sender?.name ? <div class="name">{name}</div> : <div class="hidden">{name}</div>}
        {lines.map((line) => (
          <Bubble key={line.key} line={line} tail={line === end} />
        ))}
        {time && end.state !== 'failed' && (
          <div class="meta">
            {time}
            {own && <Mark state={end.state} spell={last} />}
          </div>
        )}
      </div>
    </div>
  );
}

/** How far a message of the visitor's got; the last one says it in words as well. */
function Mark({ state, spell }: { state: string; spell: boolean }) {
  const { texts } = useUi().settings;
  const known = { pending: texts.sending, sent: texts.sent, delivered: texts.delivered, read: texts.read }[state];
  if (!known) return null;
  const Icon = state === 'pending' ? ClockIcon : state === 'sent' ? CheckIcon : ChecksIcon;
  return (
    <span class={`mark ${state}`} title={known}>
      <Icon />
      <span class={spell && state === 'read' ? '' : 'hidden'}>{known}</span>
    </span>
  );
}

function Bubble({ line, tail }: { line: Line; tail: boolean }) {
  const { chat, settings } = useUi();
  const { texts } = settings;
  const { outgoing } = line;
  const view = viewOf(line.content);
  const failed = line.state === 'failed';
  const empty = !view.text && !view.file && !view.cards && !outgoing?.file;
  return (
    <div class={`line ${failed ? 'failed' : ''} ${tail ? 'tail' : ''}`}>
      {(view.file || outgoing?.file) && <Attachment line={line} />}
      {view.text && (
        <div class={onlyEmoji(view.text) ? 'emoji-only' : 'text'}>
          <Words text={view.text} rich={view.rich} />
        </div>
      )}
      {view.cards && <Cards cards={view.cards} />}
      {empty && <div class="text quiet">{texts.unsupported}</div>}
      {failed && (
        <div class="meta error" role="alert">
          {texts.failed}
          {outgoing && chat.state.phase !== 'ended' && (
            <>
              <button type="button" onClick={() => chat.retry(outgoing.clientId)}>
                {texts.retry}
              </button>
              <button type="button" onClick={() => chat.discard(outgoing.clientId)}>
                {texts.discard}
              </button>
            </>
          )}
        </div>
      )}
    </div>
  );
}

/** A text with its links; never as HTML. */
function Words({ text, rich }: { text: string; rich?: boolean }) {
  return <>{pieces(text, rich).map(draw)}</>;
}

function draw(piece: Piece) {
  if (typeof piece === 'string') return piece;
  if ('strong' in piece) return <strong>{piece.strong}</strong>;
  if ('em' in piece) return <em>{piece.em}</em>;
  return (
    <a href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
      {piece.text}
    </a>
  );
}

function Attachment({ line }: { line: Line }) {
  const { texts } = useUi().settings;
  const { file } = viewOf(line.content);
  const local = line.outgoing?.file;
  const kind = file?.kind ?? kindOf(local!.type);
  const src = line.preview ?? file!.url;
  const name = file?.name ?? local!.name;
  const label = `${texts[kind]}: ${name}`;
  const bar = local && line.state === 'pending' && <progress value={line.outgoing!.progress} aria-label={label} />;
  if (kind === 'video' || kind === 'audio') {
    const Player = kind;
    return (
      <span class={kind}>
        <Player src={src} controls preload="metadata" aria-label={label} />
        {bar}
      </span>
    );
  }
  return (
    <a class={kind === 'file' ? 'text file' : kind} href={src} target="_blank" rel="noopener noreferrer" aria-label={label}>
      {kind === 'image' ? (
        <img src={src} alt="" loading="lazy" />
      ) : (
        <>
          <FileIcon />
          {name}
        </>
      )}
      {bar}
    </a>
  );
}
