import type { ChatState } from '../chat.ts';
import { safeUrl } from '../content.ts';
import { useUi } from './context.ts';
import { CloseIcon, LeaveIcon } from './icons.tsx';

/** A picture of somebody, or the first letter of their name. */
export function Avatar({ name, image }: { name: string; image?: string | null }) {
  const url = image ? safeUrl(image) : undefined;
  return (
    <span class="avatar" aria-hidden="true">
      {url ? <img src={url} alt="" /> : [...name][0]?.toUpperCase()}
    </span>
  );
}

/** Who one talks to, how the connection is, and the ways out. */
export function Header({ state, close, end }: { state: ChatState; close(): void; end?: () => void }) {
  const { config, texts, channel } = useUi().settings;
  const away = state.phase === 'reconnecting';
  return (
    <header>
      <Avatar name={channel.name || texts.header} image={channel.image_url} />
      <div class="titles">
        <h2>{texts.header}</h2>
        <p role="status" class={away ? 'away' : ''}>
          {away ? texts.reconnecting : texts.subtitle}
        </p>
      </div>
      {config.closeMode !== 'basic' && end && (
        <button type="button" class="icon" title={texts.end} aria-label={texts.end} onClick={end}>
          <LeaveIcon />
        </button>
      )}
      <button type="button" class="icon" aria-label={texts.close} onClick={close}>
        <CloseIcon />
      </button>
    </header>
  );
}
