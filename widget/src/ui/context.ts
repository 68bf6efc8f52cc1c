import type { Chat } from '../chat.ts';
import type { Settings } from '../settings.ts';

export interface Ui {
  chat: Chat;
  settings: Settings;
}

let current: Ui;

/** Told by the root with every drawing. There is one widget on a page, so that a variable does; a context costs bytes. */
export function setUi(ui: Ui): void {
  current = ui;
}

/** The conversation and the settings, for every part of the widget. */
export const useUi = (): Ui => current;
