import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { NotFound } from './shell/NotFound.tsx';
import { PageError } from './shell/PageError.tsx';
import { PageLoading } from './shell/PageLoading.tsx';
import { Shell } from './shell/Shell.tsx';

/** What the inbox's list shows; kept in the address, so that it survives a reload and can be shared. */
export interface InboxSearch {
  status?: 'closed';
  unread?: true;
  channel?: string;
  q?: string;
  tag?: string;
}

export interface ChannelSearch {
  /** It was connected just now. */
  connected?: true;
  /** How the provider's consent ended. */
  consent?: 'granted' | 'refused';
  reason?: string;
  tab?: string;
}

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/inbox' });
  },
});

const inbox = createRoute({
  getParentRoute: () => root,
  path: '/inbox',
  validateSearch: (search: Record<string, unknown>): InboxSearch => ({
    ...(search.status === 'closed' ? { status: 'closed' } : {}),
    ...(search.unread === true ? { unread: true } : {}),
    ...(typeof search.channel === 'string' ? { channel: search.channel } : {}),
    ...(typeof search.q === 'string' && search.q ? { q: search.q } : {}),
    ...(typeof search.tag === 'string' ? { tag: search.tag } : {}),
  }),
  component: lazyRouteComponent(() => import('./inbox/InboxPage.tsx'), 'InboxPage'),
});

const thread = createRoute({ getParentRoute: () => inbox, path: '$conversationId' });

const channels = createRoute({
  getParentRoute: () => root,
  path: '/channels',
  component: lazyRouteComponent(() => import('./channels/ChannelsPage.tsx'), 'ChannelsPage'),
});

const catalog = createRoute({
  getParentRoute: () => root,
  path: '/channels/new',
  component: lazyRouteComponent(() => import('./channels/CatalogPage.tsx'), 'CatalogPage'),
});

const connect = createRoute({
  getParentRoute: () => root,
  path: '/channels/new/$source',
  component: lazyRouteComponent(() => import('./channels/ConnectPage.tsx'), 'ConnectPage'),
});

const channel = createRoute({
  getParentRoute: () => root,
  path: '/channels/$channelId',
  validateSearch: (search: Record<string, unknown>): ChannelSearch => ({
    ...(search.connected === true ? { connected: true } : {}),
    ...(search.consent === 'granted' || search.consent === 'refused' ? { consent: search.consent } : {}),
    ...(typeof search.reason === 'string' ? { reason: search.reason } : {}),
    ...(typeof search.tab === 'string' ? { tab: search.tab } : {}),
  }),
  component: lazyRouteComponent(() => import('./channels/ChannelPage.tsx'), 'ChannelPage'),
});

const keys = createRoute({
  getParentRoute: () => root,
  path: '/keys',
  component: lazyRouteComponent(() => import('./keys/KeysPage.tsx'), 'KeysPage'),
});

const events = createRoute({
  getParentRoute: () => root,
  path: '/events',
  component: lazyRouteComponent(() => import('./events/EventsPage.tsx'), 'EventsPage'),
});

const replies = createRoute({
  getParentRoute: () => root,
  path: '/replies',
  component: lazyRouteComponent(() => import('./replies/RepliesPage.tsx'), 'RepliesPage'),
});

const domains = createRoute({
  getParentRoute: () => root,
  path: '/domains',
  component: lazyRouteComponent(() => import('./domains/DomainsPage.tsx'), 'DomainsPage'),
});

const numbers = createRoute({
  getParentRoute: () => root,
  path: '/numbers',
  component: lazyRouteComponent(() => import('./numbers/NumbersPage.tsx'), 'NumbersPage'),
});

const webhooks = createRoute({
  getParentRoute: () => root,
  path: '/webhooks',
  component: lazyRouteComponent(() => import('./webhooks/WebhooksPage.tsx'), 'WebhooksPage'),
});

const webhook = createRoute({
  getParentRoute: () => root,
  path: '/webhooks/$webhookId',
  component: lazyRouteComponent(() => import('./webhooks/WebhookPage.tsx'), 'WebhookPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    inbox.addChildren([thread]),
    channels,
    catalog,
    connect,
    channel,
    replies,
    numbers,
    domains,
    webhooks,
    webhook,
    keys,
    events,
  ]),
  defaultPreload: 'intent',
  defaultPendingComponent: PageLoading,
  defaultErrorComponent: PageError,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
