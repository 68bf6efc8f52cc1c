import { useEffect, useSyncExternalStore } from 'react';

/** What the window's title says: the page, and how many conversations wait. */
let page = '';
let waiting = '';
const listeners = new Set<() => void>();

function write(): void {
  document.title = [waiting && `(${waiting})`, page && `${page} ·`, 'Patchbay'].filter(Boolean).join(' ');
  for (const listener of listeners) listener();
}

/** Names the page that is open, for the window's title and for those who hear the pages. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    page = title;
    write();
  }, [title]);
}

export function useWaitingInTitle(count: string): void {
  useEffect(() => {
    waiting = count;
    write();
  }, [count]);
}

/** The open page's name. */
export function useOpenPage(): string {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => page,
  );
}
