import {
  IconAt,
  IconInbox,
  IconKey,
  IconMessage2,
  IconPhone,
  IconPlugConnected,
  IconRouteX,
  IconWebhook,
  type TablerIcon,
} from '@tabler/icons-react';

export interface Place {
  to: '/inbox' | '/channels' | '/replies' | '/numbers' | '/domains' | '/webhooks' | '/events' | '/keys';
  label: string;
  icon: TablerIcon;
}

/** Where people spend their day. */
export const MAIN_PLACES: Place[] = [
  { to: '/inbox', label: 'Inbox', icon: IconInbox },
  { to: '/channels', label: 'Channels', icon: IconPlugConnected },
  { to: '/replies', label: 'Replies', icon: IconMessage2 },
];

/** What is set up now and then; a phone keeps it behind “More”. */
export const OTHER_PLACES: Place[] = [
  { to: '/numbers', label: 'Numbers', icon: IconPhone },
  { to: '/domains', label: 'Domains', icon: IconAt },
  { to: '/webhooks', label: 'Webhooks', icon: IconWebhook },
  { to: '/events', label: 'Events', icon: IconRouteX },
  { to: '/keys', label: 'API keys', icon: IconKey },
];
