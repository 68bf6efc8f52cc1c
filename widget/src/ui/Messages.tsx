import type { Message } from '../api.ts';
import type { ChatState, Outgoing } from '../chat.ts';
import { viewOf } from '../content.ts';
import { fill } from '../languages/index.ts';
import { useEffect, useRef, useState } from '../view/view.ts';
import { useUi } from './context.ts';
import { Group } from './Group.tsx';
import { Avatar } from './Header.tsx';
import { DownIcon } from './icons.tsx';

/** One line of the list, sent or on its way. */
export interface Line {
  key: string;
  own: boolean;
  at: number;
  content: unknown;
  state: string;
  sender?: Message['sender'];
  preview?: string;
  outgoing?: Outgoing;
}

const GROUP_MS = 5 * 60_000;

function linesOf({ messages, outbox }: ChatState): Line[] {
  const sent = messages.map(
    (message): Line => ({
      key: message.clientId ?? message.id,
      own: message.from_contact,
      at: Date.parse(message.sent_at),
      content: message.content,
      state: message.delivery_state.toLowerCase(),
      sender: message.sender,
      preview: message.preview,
    }),
  );
  const waiting = outbox.map(
    (item): Line => ({
      key: item.clientId,
      own: true,
      at: Date.parse(item.at),
      content: item.content,
      state: item.state,
      preview: item.preview,
      outgoing: item,
    }),
  );
  return [...sent, ...waiting];
}

/** Lines of one side that follow closely stand together. */
function groupsOf(lines: Line[]): Line[][] {
  const groups: Line[][] = [];
  for (const line of lines) {
    const last = groups.at(-1)?.at(-1);
    const together =
      last &&
      last.own === line.own &&
      last.sender?.name === line.sender?.name &&
      Math.abs(line.at - last.at) < GROUP_MS &&
      dayOf(last.at) === dayOf(line.at);
    if (together) groups.at(-1)!.push(line);
    else groups.push([line]);
  }
  return groups;
}

const dayOf = (at: number) => new Date(at).toDateString();

function dayLabel(at: number, language: string): string {
  const days = Math.round((new Date(dayOf(at)).getTime() - new Date(new Date().toDateString()).getTime()) / 86_400_000);
  const label =
    days > -2
      ? new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(days, 'day')
      : new Intl.DateTimeFormat(language, { weekday: 'long', day: 'numeric', month: 'long' }).format(at);
  return label[0]!.toLocaleUpperCase(language) + label.slice(1);
}

/** The conversation so far. It stays at its end while the reader is there, and says so when they are not. */
export function Messages({ state, open }: { state: ChatState; open: boolean }) {
  const { chat, settings } = useUi();
  const { texts, language, channel } = settings;
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [below, setBelow] = useState(false);
  const lines = linesOf(state);
  const groups = groupsOf(lines);
  const last = lines.at(-1);

  const toEnd = () => {
    box.current!.scrollTop = box.current!.scrollHeight;
    setBelow(false);
  };
  const settle = () => atEnd.current && toEnd();
  // Asks only when another message is the last.
  useEffect(() => {
    if (atEnd.current || last?.outgoing) toEnd();
    else setBelow(true);
  }, [last?.key]);
  // Whatever changes may change the height.
  useEffect(() => void settle(), [state, open]);
  useEffect(() => {
    // Pictures that finish loading and a box that changes its height must not push the end out of sight.
    const observer = new ResizeObserver(settle);
    observer.observe(box.current!);
    observer.observe(box.current!.firstElementChild!);
    return () => observer.disconnect();
  }, []);

  const choices = last && !last.own && state.phase !== 'ended' ? viewOf(last.content).choices : undefined;
  let day = '';
  return (
    <div class="log-box">
      <div
        ref={box}
        class="log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        role="log"
        aria-live="polite"
        aria-label={texts.messages}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          atEnd.current = scrollHeight - scrollTop - clientHeight < 48;
          if (atEnd.current) setBelow(false);
        }}
      >
        <div class="lines">
          {texts.welcome && (
            <Group lines={[{ key: 'welcome', own: false, at: 0, content: { text: texts.welcome }, state: 'read' }]} last={false} />
          )}
          {groups.map((group, index) => {
            const [first] = group;
            const newDay = dayOf(first!.at) !== day;
            day = dayOf(first!.at);
            return (
              <div key={first!.key}>
                {newDay && <div class="day">{dayLabel(first!.at, language)}</div>}
                <Group lines={group} last={index === groups.length - 1} />
              </div>
            );
          })}
          {choices && (
            <div class="choices">
              {choices.map((choice) => (
                <button
                  key={choice.postback}
                  type="button"
                  onClick={() => chat.send({ type: 'suggestionResponse', text: choice.text, postbackData: choice.postback })}
                >
                  {choice.image && <img src={choice.image} alt="" />}
                  {choice.text}
                </button>
              ))}
            </div>
          )}
          {state.typing && (
            <div class="group theirs">
              <Avatar name={state.typing.name ?? channel.name ?? texts.support} image={state.typing.name ? undefined : channel.image_url} />
              <div class="text typing">
                <span class="hidden">{fill(texts.typing, { name: state.typing.name ?? texts.support })}</span>
                <i />
                <i />
                <i />
              </div>
            </div>
          )}
          {state.phase === 'unavailable' && <div class="notice">{texts.unavailable}</div>}
        </div>
      </div>
      {below && (
        <button type="button" class="latest" onClick={toEnd}>
          <DownIcon />
          {texts.latest}
        </button>
      )}
    </div>
  );
}
