/** What was begun and not sent, by conversation; survives a reload. */
const PREFIX = 'patchbay.draft.';

export function loadDraft(conversationId: string): string {
  return localStorage.getItem(PREFIX + conversationId) ?? '';
}

export function saveDraft(conversationId: string, text: string): void {
  if (text.trim()) localStorage.setItem(PREFIX + conversationId, text);
  else localStorage.removeItem(PREFIX + conversationId);
}
