import type { Webhook, WebhookDeliveryState } from '../api/types.ts';

type Tone = 'good' | 'warning' | 'bad' | 'neutral';

export const STATUSES: Record<Webhook['status'], { words: string; tone: Tone }> = {
  active: { words: 'On', tone: 'good' },
  inactive: { words: 'Paused', tone: 'neutral' },
  disabled: { words: 'Switched off', tone: 'bad' },
};

export const DELIVERY_STATES: Record<WebhookDeliveryState, { words: string; tone: Tone }> = {
  pending: { words: 'Waiting', tone: 'warning' },
  succeeded: { words: 'Arrived', tone: 'good' },
  failed: { words: 'Refused', tone: 'bad' },
  dead: { words: 'Given up', tone: 'bad' },
};

/** How a subscriber answered: its status, or why there was none. */
export function answerWords(status: number | null, error: string | null): string {
  return error ?? (status === null ? 'No answer yet' : `answered ${status}`);
}
