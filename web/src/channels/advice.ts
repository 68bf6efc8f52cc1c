import type { ChannelDetails } from '../api/types.ts';
import { sentence } from '../components/Problem.tsx';

/** Why a channel does not simply work, and what to do; undefined when there is nothing to do. */
export function adviceFor({
  status,
  statusReason,
  grantsAccess,
}: Pick<ChannelDetails, 'status' | 'statusReason' | 'grantsAccess'>): string | undefined {
  switch (status) {
    case 'active':
      return statusReason ? sentence(statusReason) : undefined;
    case 'failed': {
      const repair = grantsAccess ? 'Grant it access again, or replace its credentials below' : 'Replace its credentials below';
      return `${sentence(statusReason ?? 'The provider refuses this account')} ${repair}; the channel and its history stay.`;
    }
    case 'warning':
      return sentence(statusReason ?? 'Something about this account needs a look');
    case 'pending':
      return sentence(statusReason ?? 'Something outside is outstanding: finish the set-up at the provider');
    case 'setting-up':
      return 'Being connected right now.';
    case 'inactive':
      return 'Nothing comes in and nothing goes out. What was said stays.';
    case 'deleted':
      return 'Deleted. It goes for good after 30 days.';
  }
}
