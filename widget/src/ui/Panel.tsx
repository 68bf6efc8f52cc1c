import type { ChatState } from '../chat.ts';
import { refusal } from '../settings.ts';
import { useEffect, useRef, useState } from '../view/view.ts';
import { Composer, type Staged } from './Composer.tsx';
import { useUi } from './context.ts';
import { Header } from './Header.tsx';
import { Messages } from './Messages.tsx';

interface Props {
  state: ChatState;
  open: boolean;
  phone: boolean;
  close(): void;
  /** Takes the whole widget off the page. */
  vanish(): void;
}

const TABBABLE = 'button:not([disabled]),textarea:not([disabled]),a[href],video,audio,[tabindex="0"]';

/** The chat itself: header, messages, what is being written. */
export function Panel({ state, open, phone, close, vanish }: Props) {
  const { chat, settings } = useUi();
  const { config, texts } = settings;
  const panel = useRef<HTMLDivElement>(null);
  const first = useRef(true);
  const [ending, setEnding] = useState(false);
  const [dragging, setDragging] = useState(0);
  const [staged, setStaged] = useState<Staged[]>([]);
  const [problem, setProblem] = useState('');
  const usable = state.phase !== 'ended' && state.phase !== 'unavailable';
  const filesAllowed = usable && !config.hideAttachments && !config.hideInputBar;

  // The focus moves when the chat opens, and only then.
  useEffect(() => {
    // A chat that the page opened by itself does not take the focus from the page.
    if (open && !first.current) {
      const target = phone ? panel.current : panel.current?.querySelector<HTMLElement>('textarea');
      (target ?? panel.current)?.focus({ preventScroll: true });
    }
    first.current = false;
  }, [open]);

  useEffect(() => {
    // The keyboard of a phone covers the page without making it smaller; the visible part is the visual viewport.
    const viewport = window.visualViewport;
    if (!(phone && open && viewport)) return;
    const resize = () => panel.current?.style.setProperty('--visible', `${viewport.height}px`);
    resize();
    viewport.addEventListener('resize', resize);
    return () => viewport.removeEventListener('resize', resize);
  }, [phone, open]);

  function stage(files: Iterable<File>): void {
    const refused: string[] = [];
    const taken: Staged[] = [];
    for (const file of files) {
      const reason = refusal(file, settings);
      if (reason) refused.push(reason);
      else taken.push({ file, preview: URL.createObjectURL(file) });
    }
    setProblem(refused.join('. '));
    setStaged((before) => [...before, ...taken].slice(0, 10));
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Escape' && !event.defaultPrevented) {
      event.preventDefault();
      if (ending) setEnding(false);
      else close();
    }
    if (event.key !== 'Tab') return;
    const scope = panel.current?.querySelector('[role=alertdialog]') ?? panel.current!;
    const stops = [...scope.querySelectorAll<HTMLElement>(TABBABLE)].filter((element) => element.offsetParent);
    const active = (panel.current!.getRootNode() as ShadowRoot).activeElement;
    const [from, to] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
    if (active === from || !stops.includes(active as HTMLElement)) {
      event.preventDefault();
      to?.focus();
    }
  }

  const hasFiles = (event: DragEvent) => filesAllowed && event.dataTransfer?.types.includes('Files');
  return (
    <div
      ref={panel}
      class="panel"
      role="dialog"
      aria-label={texts.header}
      aria-modal={phone}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      onDragEnter={(event) => hasFiles(event) && setDragging((depth) => depth + 1)}
      onDragLeave={(event) => hasFiles(event) && setDragging((depth) => Math.max(0, depth - 1))}
      onDragOver={(event) => hasFiles(event) && event.preventDefault()}
      onDrop={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setDragging(0);
        stage(event.dataTransfer!.files);
      }}
    >
      <Header state={state} close={close} end={usable ? () => setEnding(true) : undefined} />
      <Messages state={state} open={open} />
      {state.phase === 'ended' ? (
        <footer class="over">
          <p>{texts.ended}</p>
          <button type="button" class="primary" onClick={() => chat.restart()}>
            {texts.again}
          </button>
        </footer>
      ) : (
        !config.hideInputBar && (
          <Composer
            staged={staged}
            stage={stage}
            unstage={(item) => setStaged((before) => before.filter((other) => other !== item))}
            clear={() => setStaged([])}
            problem={problem}
            disabled={!usable}
            filesAllowed={filesAllowed}
          />
        )
      )}
      {dragging > 0 && <div class="drop">{texts.drop}</div>}
      {ending && (
        <Confirm
          cancel={() => setEnding(false)}
          confirm={() => {
            setEnding(false);
            void chat.end();
            if (config.closeMode === 'full') vanish();
          }}
        />
      )}
    </div>
  );
}

function Confirm({ cancel, confirm }: { cancel(): void; confirm(): void }) {
  const { texts } = useUi().settings;
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <div class="veil">
      <div role="alertdialog" aria-modal="true" aria-labelledby="end-question" class="confirm">
        <strong id="end-question">{texts.endQuestion}</strong>
        <div class="row">
          <button ref={button} type="button" onClick={cancel}>
            {texts.cancel}
          </button>
          <button type="button" class="primary" onClick={confirm}>
            {texts.end}
          </button>
        </div>
      </div>
    </div>
  );
}
