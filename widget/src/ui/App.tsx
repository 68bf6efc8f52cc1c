import type { Chat } from '../chat.ts';
import { cssVariables } from '../colors.ts';
import { safeUrl } from '../content.ts';
import { fill } from '../languages/index.ts';
import type { Settings } from '../settings.ts';
import { useEffect, useRef, useState } from '../view/view.ts';
import { setUi } from './context.ts';
import { ChatIcon, DownIcon } from './icons.tsx';
import { Panel } from './Panel.tsx';

interface Props {
  chat: Chat;
  settings: Settings;
  /** Whether the chat is open. */
  wanted: boolean | undefined;
  phone: boolean;
  dark: boolean;
  moved(open: boolean): void;
}

/** Draws again with every change of the conversation. */
function useChatState(chat: Chat) {
  const [state, setState] = useState(chat.state);
  useEffect(() => {
    setState(chat.state);
    return chat.subscribe(() => setState(chat.state));
  }, [chat]);
  return state;
}

/** The bubble and the chat behind it. */
export function App({ chat, settings, wanted = false, phone, dark, moved }: Props) {
  const { config, texts, language } = settings;
  const state = useChatState(chat);
  const bubble = useRef<HTMLButtonElement>(null);
  const [gone, setGone] = useState(false);
  const wasOpen = useRef(wanted);

  useEffect(() => {
    const look = () => chat.seen(wanted && document.visibilityState === 'visible');
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [wanted, chat]);

  useEffect(() => {
    if (wanted) chat.start();
    if (wasOpen.current && !wanted) bubble.current?.focus();
    wasOpen.current = wanted;
    // A full-screen chat scrolls alone, without the page behind it.
    if (!(wanted && phone)) return;
    const page = document.documentElement;
    const before = page.style.overflow;
    page.style.overflow = 'hidden';
    return () => {
      page.style.overflow = before;
    };
  }, [wanted, phone, chat]);

  setUi({ chat, settings });
  if (gone) return null;
  const icon = config.bubbleIcon && safeUrl(config.bubbleIcon);
  const unread = state.unread > 0 && !wanted ? fill(texts.unread, { n: state.unread }) : '';
  return (
    <div
      class={`root ${dark ? 'dark' : ''} ${config.position === 'left' ? 'left' : ''} ${wanted ? 'open' : ''}`}
      style={{ ...cssVariables(config), colorScheme: dark ? 'dark' : 'light' }}
      lang={language}
    >
      <Panel state={state} open={wanted} phone={phone} close={() => moved(false)} vanish={() => setGone(true)} />
      <button
        ref={bubble}
        type="button"
        class="bubble"
        aria-expanded={wanted}
        aria-label={[wanted ? texts.close : texts.open, unread].filter(Boolean).join('. ')}
        onClick={() => moved(!wanted)}
      >
        <span class="bubble-chat">{icon ? <img src={icon} alt="" /> : <ChatIcon />}</span>
        <span class="bubble-down">
          <DownIcon />
        </span>
        {unread && (
          <span class="badge" aria-hidden="true">
            {state.unread > 99 ? '99+' : state.unread}
          </span>
        )}
      </button>
      <div class="hidden" role="status">
        {unread}
      </div>
    </div>
  );
}
