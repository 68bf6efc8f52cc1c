/** Outgoing webhooks: subscriptions, the log of what was posted, replays. The answers follow document 003's maker. */
import { randomBytes } from 'node:crypto';
import Type from 'typebox';
import { invalid, notFound, PatchbayError } from '../../model/errors.ts';
import { uuidv7 } from '../../model/ids.ts';
import { newestSeq } from '../../store/events.ts';
import { type DeliveryRow, getDelivery, insertDeliveries, listDeliveries, replayDeliveries } from '../../store/webhook-deliveries.ts';
import { deleteSubscription, getSubscription, listSubscriptions, type SubscriptionRow, type WebhookFilter } from '../../store/webhooks.ts';
import type { Principal } from '../auth.ts';
import { idOf, idToken, page, placeOf, placeToken } from './paging.ts';
import { ids, iso, listAnswer, listQuery, NoContent, oneOf, Uuid } from './schemas/common.ts';
import {
  ChangeWebhook,
  CreateWebhook,
  EXECUTION_STATUSES,
  NewWebhookSubscription,
  WebhookLog,
  WebhookLogDetails,
  WebhookSubscription,
} from './schemas/webhook.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Webhooks'];
/** Subscriptions with the same service, event and filters. */
const MOST_ALIKE = 5;
/** What is told of each service; of the others nothing ever is. */
const EVENTS_OF: Record<string, RegExp> = {
  channels: /^([a-z0-9-]+\.(inbound|outbound|interaction)|channel\.created)$/,
  conversations: /^conversation\.(created|updated)$/,
};
/** Where private networks are not allowed: no ports, no bare addresses (decisions.md B27). */
const STRICT_URL = /^https:\/\/([a-zA-Z0-9-]+\.)+[a-zA-Z]{2,}(\/[^\s]*)?$/;

export function webhookRoutes(app: Routes, { engine }: SurfaceParts): void {
  const { database, webhooks, config } = engine;
  const read = { config: { scope: 'webhooks:read' } } as const;
  const write = { config: { scope: 'webhooks:write' } } as const;
  const params = ids('subscriptionId');

  const find = async (principal: Principal, id: string): Promise<SubscriptionRow> => {
    const row = await getSubscription(database, principal.workspaceId, 'workspaces', id);
    if (!row || (principal.sandbox && !row.sandbox)) throw notFound('webhook subscription');
    return row;
  };
  const keyOf = (row: SubscriptionRow) => ({ workspaceId: row.workspaceId, subscriptionId: row.id });
  const checkUrl = (url: string) => {
    if (!config.allowPrivateNetwork && !STRICT_URL.test(url)) {
      throw invalid('url', 'must be an https address with a host name and no port; ALLOW_PRIVATE_NETWORK=1 allows others');
    }
  };

  app.post(
    '/webhook-subscriptions',
    {
      ...write,
      schema: {
        tags,
        operationId: 'createWebhookSubscription',
        summary: 'Be told of events by HTTP',
        params: ids(),
        body: CreateWebhook,
        response: { 201: NewWebhookSubscription },
      },
    },
    async (request, reply) => {
      const { workspaceId, sandbox } = request.principal;
      const { service, event, url, signingKey = `whsec_${randomBytes(32).toString('base64')}` } = request.body;
      const filters = checkFilters(request.body.eventFilters ?? []);
      checkUrl(url);
      if (EVENTS_OF[service]?.test(event) === false) throw invalid('event', `is no event of ${service}`);
      const others = await listSubscriptions(database, workspaceId, 'workspaces');
      const alike = others.filter((row) => row.service === service && row.events[0] === event && sameFilters(row.filters, filters));
      if (alike.length >= MOST_ALIKE) throw new PatchbayError('conflict', `there are ${MOST_ALIKE} subscriptions of this event already`);
      const row = await webhooks.subscribe({
        workspaceId,
        surface: 'workspaces',
        name: null,
        url,
        service,
        events: [event],
        filters,
        secrets: { signingKey, headers: {} },
        sandbox,
      });
      return reply.code(201).send({ ...show(row!), signingKey });
    },
  );
  app.get(
    '/webhook-subscriptions',
    {
      ...read,
      schema: {
        tags,
        operationId: 'listWebhookSubscriptions',
        summary: 'All subscriptions',
        params: ids(),
        querystring: listQuery({}),
        response: { 200: listAnswer(WebhookSubscription) },
      },
    },
    async (request) => {
      const { limit = 10, reverse = false } = request.query;
      const after = idOf(request.query.pageToken);
      const all = (await listSubscriptions(database, request.principal.workspaceId, 'workspaces'))
        .filter((row) => row.sandbox || !request.principal.sandbox)
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      if (reverse) all.reverse();
      const rest = after ? all.filter((row) => (reverse ? row.id < after : row.id > after)) : all;
      const { rows, ...next } = page(rest, limit, (row) => idToken(row.id));
      return { results: rows.map(show), ...next };
    },
  );
  app.get(
    '/webhook-subscriptions/:subscriptionId',
    {
      ...read,
      schema: { tags, operationId: 'getWebhookSubscription', summary: 'One subscription', params, response: { 200: WebhookSubscription } },
    },
    async (request) => show(await find(request.principal, request.params.subscriptionId)),
  );
  app.patch(
    '/webhook-subscriptions/:subscriptionId',
    {
      ...write,
      schema: {
        tags,
        operationId: 'changeWebhookSubscription',
        summary: 'Change, pause or resume a subscription',
        params,
        body: ChangeWebhook,
        response: { 200: WebhookSubscription },
      },
    },
    async (request) => {
      const { url, signingKey, status, eventFilters } = request.body;
      const row = await find(request.principal, request.params.subscriptionId);
      if (url !== undefined) checkUrl(url);
      const changed = await webhooks.change(row, {
        url,
        status,
        ...(eventFilters === undefined ? {} : { filters: checkFilters(eventFilters ?? []) }),
        ...(signingKey === undefined ? {} : { secrets: { signingKey } }),
      });
      if (!changed) throw notFound('webhook subscription');
      return show(changed);
    },
  );
  app.delete(
    '/webhook-subscriptions/:subscriptionId',
    {
      ...write,
      schema: { tags, operationId: 'deleteWebhookSubscription', summary: 'End a subscription', params, response: { 204: NoContent } },
    },
    async (request, reply) => {
      const row = await find(request.principal, request.params.subscriptionId);
      await deleteSubscription(database, row.workspaceId, 'workspaces', row.id);
      return reply.code(204).send(null);
    },
  );
  app.get(
    '/webhook-subscriptions/:subscriptionId/logs',
    {
      ...read,
      schema: {
        tags,
        operationId: 'listWebhookLogs',
        summary: 'What was posted, newest first; kept for 7 days',
        params,
        querystring: Type.Omit(listQuery({ executionStatus: Type.Optional(oneOf(EXECUTION_STATUSES)) }), ['reverse']),
        response: { 200: listAnswer(WebhookLog) },
      },
    },
    async (request) => {
      const { limit = 10, executionStatus } = request.query;
      const row = await find(request.principal, request.params.subscriptionId);
      const found = await listDeliveries(database, keyOf(row), {
        limit: limit + 1,
        states: executionStatus && [executionStatus === 'pending' ? 'waiting' : executionStatus],
        before: placeOf(request.query.pageToken),
      });
      const { rows, ...next } = page(found, limit, (last) => placeToken({ at: last.createdAt, id: last.id }));
      return { results: rows.map(showLog), ...next };
    },
  );
  app.get(
    '/webhook-subscriptions/:subscriptionId/logs/details',
    {
      ...read,
      schema: {
        tags,
        operationId: 'getWebhookLog',
        summary: 'Every attempt of one delivery',
        params,
        querystring: Type.Object({ requestId: Type.Optional(Uuid) }),
        response: { 200: WebhookLogDetails },
      },
    },
    async (request) => {
      const row = await find(request.principal, request.params.subscriptionId);
      const { requestId } = request.query;
      if (!requestId) throw invalid('requestId', 'is required');
      const found = await getDelivery(database, keyOf(row), requestId);
      if (!found) throw notFound('delivery');
      const attempts = found.history.map(({ at, status, error }) => ({ createdAt: at, httpStatusCode: status, error }));
      return { ...showLog(found), url: found.url, body: found.body, attempts };
    },
  );
  app.post(
    '/webhook-subscriptions/:subscriptionId/replay',
    {
      ...write,
      schema: {
        tags,
        operationId: 'replayWebhooks',
        summary: 'Post again: the delivery that is named, else all that never arrived',
        params,
        body: Type.Object({ requestId: Type.Optional(Uuid) }, { additionalProperties: false }),
        response: { 202: Type.Object({ replayed: Type.Integer() }) },
      },
    },
    async (request, reply) => {
      const row = await find(request.principal, request.params.subscriptionId);
      const id = request.body.requestId;
      const replayed = await database.transaction((client) => replayDeliveries(client, keyOf(row), id));
      if (id && replayed === 0) throw notFound('finished delivery');
      webhooks.wake();
      return reply.code(202).send({ replayed });
    },
  );
  app.post(
    '/webhook-subscriptions/:subscriptionId/test',
    {
      ...write,
      schema: {
        tags,
        operationId: 'testWebhook',
        summary: 'Post a made-up event',
        params,
        response: { 202: Type.Object({ requestId: Uuid }) },
      },
    },
    async (request, reply) => {
      const row = await find(request.principal, request.params.subscriptionId);
      const id = uuidv7();
      const body = JSON.stringify({ service: row.service, event: row.events[0], payload: { test: true } });
      const seq = await newestSeq(database, row.workspaceId);
      await insertDeliveries(database, keyOf(row), [{ id, seq, position: 0, event: row.events[0]!, lane: id, body }]);
      webhooks.wake();
      return reply.code(202).send({ requestId: id });
    },
  );
}

function checkFilters(filters: WebhookFilter[]): WebhookFilter[] {
  if (filters.filter(({ key }) => key === 'channelId').length > 1) throw invalid('eventFilters', 'holds more than one channelId');
  return filters;
}

function sameFilters(a: WebhookFilter[], b: WebhookFilter[]): boolean {
  const text = (filters: WebhookFilter[]) =>
    filters
      .map(({ key, value }) => `${key}=${value}`)
      .sort()
      .join('\n');
  return text(a) === text(b);
}

function show(row: SubscriptionRow): WebhookSubscription {
  const { id, workspaceId, service, events, filters, url, status, statusReason, createdAt, updatedAt } = row;
  return {
    id,
    organizationId: workspaceId,
    workspaceId,
    service: service!,
    event: events[0]!,
    template: null,
    eventFilters: filters.length > 0 ? (filters as WebhookSubscription['eventFilters']) : null,
    url,
    status,
    statusReason,
    createdAt: iso(createdAt),
    updatedAt: iso(updatedAt),
  };
}

function showLog(row: DeliveryRow) {
  return {
    requestId: row.id,
    event: row.event,
    attemptCount: row.attempts,
    httpStatusCode: row.lastStatus,
    error: row.lastError,
    executionStatus: row.state === 'waiting' ? ('pending' as const) : row.state,
    createdAt: iso(row.createdAt),
  };
}
