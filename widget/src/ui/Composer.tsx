import { safeUrl } from '../content.ts';
import { fill } from '../languages/index.ts';
import { formatSize, kindOf } from '../settings.ts';
import { useEffect, useRef, useState } from '../view/view.ts';
import { useUi } from './context.ts';
import { Emoji } from './Emoji.tsx';
import { ClipIcon, CloseIcon, FileIcon, SendIcon, SmileIcon } from './icons.tsx';

/** A file that is looked at before it is sent. */
export interface Staged {
  file: File;
  /** A local address of the file. */
  preview: string;
}

interface Props {
  staged: Staged[];
  stage(files: Iterable<File>): void;
  unstage(item: Staged): void;
  clear(): void;
  /** Why a file was not taken. */
  problem: string;
  disabled: boolean;
  filesAllowed: boolean;
}

const IDLE_MS = 4000;

/** Where the visitor writes. */
export function Composer({ staged, stage, unstage, clear, problem, disabled, filesAllowed }: Props) {
  const { chat, settings } = useUi();
  const { config, texts, language } = settings;
  const [text, setText] = useState('');
  const [emoji, setEmoji] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const idle = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const ready = !disabled && (text.trim() !== '' || staged.length > 0);
  const sendIcon = config.sendMessageIcon && safeUrl(config.sendMessageIcon);

  // The height follows the text.
  useEffect(() => {
    const element = area.current!;
    element.style.height = 'auto';
    element.style.height = `${Math.min(element.scrollHeight, 128)}px`;
  }, [text]);

  function write(value: string): void {
    setText(value);
    clearTimeout(idle.current);
    chat.typing(value.trim() !== '');
    if (value) idle.current = setTimeout(() => chat.typing(false), IDLE_MS);
  }

  function submit(): void {
    if (!ready) return;
    for (const { file, preview } of staged) chat.sendFile(file, preview);
    if (text.trim()) chat.send({ text: text.trim() });
    clear();
    write('');
    setEmoji(false);
    area.current?.focus();
  }

  function insert(sign: string): void {
    const { selectionStart, selectionEnd } = area.current!;
    write(text.slice(0, selectionStart) + sign + text.slice(selectionEnd));
    requestAnimationFrame(() => area.current?.setSelectionRange(selectionStart + sign.length, selectionStart + sign.length));
  }

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {staged.length > 0 && (
        <ul class="staged">
          {staged.map((item) => (
            <li key={item.preview}>
              {kindOf(item.file.type) === 'image' ? <img src={item.preview} alt="" /> : <FileIcon />}
              <span>
                {item.file.name}
                <small>{formatSize(item.file.size, language)}</small>
              </span>
              <button type="button" aria-label={fill(texts.remove, { name: item.file.name })} onClick={() => unstage(item)}>
                <CloseIcon />
              </button>
            </li>
          ))}
        </ul>
      )}
      {emoji && (
        <Emoji
          pick={insert}
          close={() => {
            setEmoji(false);
            area.current?.focus();
          }}
        />
      )}
      <div class="input">
        <textarea
          ref={area}
          rows={1}
          value={text}
          maxLength={8000}
          disabled={disabled}
          placeholder={texts.placeholder}
          aria-label={texts.placeholder}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            submit();
          }}
          onPaste={(event) => {
            const pasted = event.clipboardData?.files;
            if (!filesAllowed || !pasted?.length) return;
            event.preventDefault();
            stage(pasted);
          }}
        />
        {filesAllowed && (
          <>
            <button type="button" class="icon" aria-label={texts.attach} onClick={() => files.current?.click()}>
              <ClipIcon />
            </button>
            <input
              ref={files}
              type="file"
              hidden
              multiple
              accept={config.allowedFileTypes?.join(',')}
              onChange={({ currentTarget }) => {
                stage([...(currentTarget.files ?? [])]);
                currentTarget.value = '';
                area.current?.focus();
              }}
            />
          </>
        )}
        {!config.hideEmojis && (
          <button
            type="button"
            class="icon"
            disabled={disabled}
            aria-label={texts.emoji}
            aria-expanded={emoji}
            onClick={() => setEmoji(!emoji)}
          >
            <SmileIcon />
          </button>
        )}
        <button type="submit" class="send" disabled={!ready} aria-label={texts.send}>
          {sendIcon ? <img src={sendIcon} alt="" /> : <SendIcon />}
        </button>
      </div>
    </form>
  );
}
