import { useEffect, useRef } from '../view/view.ts';
import { useUi } from './context.ts';

const COLUMNS = 8;
const SIGNS =
  '😀 😁 😅 😂 🙂 😉 😊 😍 😘 😎 🤔 😐 🙄 😢 😭 😡 😱 🤗 🥳 👍 👎 👌 🙏 👏 💪 👋 🤝 👀 ❤️ 💚 🔥 ✨ 🎉 🎁 ⭐ ✅ ❌ ❓ 💡 📦'.split(' ');

/** A small choice of emoji; arrow keys move in it, Escape leaves it. */
export function Emoji({ pick, close }: { pick(sign: string): void; close(): void }) {
  const { texts } = useUi().settings;
  const grid = useRef<HTMLDivElement>(null);
  const at = (index: number) => (grid.current?.children[index] as HTMLElement | undefined)?.focus();
  // Only when it opens.
  useEffect(() => at(0), []);
  return (
    <div
      ref={grid}
      class="emoji"
      role="toolbar"
      aria-label={texts.emoji}
      onKeyDown={(event) => {
        const here = [...grid.current!.children].indexOf(event.target as Element);
        const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
        if (step) at(here + step);
        else if (event.key === 'Escape') close();
        else return;
        event.preventDefault();
      }}
    >
      {SIGNS.map((sign, index) => (
        <button key={sign} type="button" tabIndex={index ? -1 : 0} onClick={() => pick(sign)}>
          {sign}
        </button>
      ))}
    </div>
  );
}
