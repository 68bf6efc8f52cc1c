import type { ChannelDetails } from '../api/types.ts';

/** Why a channel does not simply work, and what to do; undefined when there is nothing to do. */
export function adviceFor({ status, statusReason }: Pick<ChannelDetails, 'status' | 'statusReason'>): string | undefined {
  switch (status) {
    case 'active':
      return statusReason ?? undefined;
    case 'failed':
      return `${ended(statusReason ?? 'The provider refuses this account')} Replace its credentials below; the channel and its history stay.`;
    case 'warning':
      return ended(statusReason ?? 'Something about this account needs a look');
    case 'pending':
      return ended(statusReason ?? 'Something outside is outstanding: finish the set-up at the provider');
    case 'setting-up':
      return 'Being connected right now.';
    case 'inactive':
      return 'Nothing comes in and nothing goes out. What was said stays.';
    case 'deleted':
      return 'Deleted. It goes for good after 30 days.';
  }
}

function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
