/** `webhooks.*`: airy.md 1.9. Unlike Airy's, an update keeps what it does not name. */
import Type from 'typebox';
import { notFound, PatchbayError } from '../../model/errors.ts';
import { getSubscription, listSubscriptions, type SubscriptionRow } from '../../store/webhooks.ts';
import { type Airy, Id } from './routes.ts';
import { listAnswer, WebhookAnswer } from './schemas.ts';
import { AIRY_EVENTS, airySpeaker, UNTOLD_EVENTS } from './webhook-events.ts';

const HeaderName = "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$";
const given = {
  name: Type.Optional(Type.String({ maxLength: 1000 })),
  events: Type.Optional(Type.Array(Type.Union([...AIRY_EVENTS, ...UNTOLD_EVENTS].map((name) => Type.Literal(name))), { maxItems: 20 })),
  // No line breaks: a header is one line.
  headers: Type.Optional(
    Type.Record(Type.String({ pattern: HeaderName }), Type.String({ maxLength: 4000, pattern: '^[\\t\\x20-\\x7e]*$' })),
  ),
  signature_key: Type.Optional(Type.String({ maxLength: 1000 })),
};
const Url = Type.String({ minLength: 1, maxLength: 2000 });
const Body = Type.Object({ url: Url, id: Type.Optional(Id), ...given });
const Update = Type.Object({
  id: Id,
  url: Type.Optional(Url),
  status: Type.Optional(Type.Union([Type.Literal('Subscribed'), Type.Literal('Unsubscribed')])),
  ...given,
});
const One = Type.Object({ id: Id });

export function addWebhooks(airy: Airy): void {
  const { engine } = airy;
  const { database, webhooks } = engine;
  webhooks.speak('airy', airySpeaker(engine));

  const find = async (workspaceId: string, id: string, sandbox: boolean): Promise<SubscriptionRow> => {
    const row = await getSubscription(database, workspaceId, 'airy', id.toLowerCase());
    if (!row || (sandbox && !row.sandbox)) throw notFound('webhook');
    return row;
  };
  const view = (row: SubscriptionRow) => ({
    id: row.id,
    name: row.name,
    status: row.status === 'active' ? 'Subscribed' : 'Unsubscribed',
    url: row.url,
    headers: webhooks.secretsOf(row).headers,
    events: row.events,
  });

  airy.post(
    'webhooks.subscribe',
    { needs: 'webhooks:write', answer: WebhookAnswer, summary: 'Be told of events by HTTP', body: Body },
    async ({ body, workspaceId, principal }) => {
      const given = { name: body.name ?? null, url: body.url, events: [...new Set(body.events ?? [])] };
      const secrets = { headers: body.headers ?? {}, ...(body.signature_key ? { signingKey: body.signature_key } : {}) };
      const id = body.id?.toLowerCase();
      const { sandbox } = principal;
      const added = await webhooks.subscribe({ workspaceId, surface: 'airy', id, ...given, service: null, filters: [], secrets, sandbox });
      if (added) return view(added);
      // As with Airy, who subscribes with the id of one that is there means that one.
      const known = await getSubscription(database, workspaceId, 'airy', id!);
      if (known?.sandbox !== sandbox) throw new PatchbayError('conflict', 'this id is taken: choose another one');
      const replaced = await webhooks.change(known, { ...given, status: 'active', secrets: { signingKey: undefined, ...secrets } });
      if (!replaced) throw notFound('webhook');
      return view(replaced);
    },
  );
  airy.post(
    'webhooks.update',
    { needs: 'webhooks:write', answer: WebhookAnswer, summary: 'Change a webhook', body: Update },
    async ({ body, workspaceId, principal }) => {
      const row = await find(workspaceId, body.id, principal.sandbox);
      const { signature_key: signingKey, headers } = body;
      const changed = await webhooks.change(row, {
        ...(body.name === undefined ? {} : { name: body.name }),
        url: body.url,
        events: body.events && [...new Set(body.events)],
        ...(body.status === undefined ? {} : { status: body.status === 'Subscribed' ? 'active' : 'inactive' }),
        ...(signingKey === undefined && !headers
          ? {}
          : { secrets: { ...(signingKey === undefined ? {} : { signingKey }), ...(headers ? { headers } : {}) } }),
      });
      if (!changed) throw notFound('webhook');
      return view(changed);
    },
  );
  airy.post(
    'webhooks.unsubscribe',
    { needs: 'webhooks:write', answer: WebhookAnswer, summary: 'End being told', body: One },
    async ({ body, workspaceId, principal }) => {
      const changed = await webhooks.change(await find(workspaceId, body.id, principal.sandbox), { status: 'inactive' });
      if (!changed) throw notFound('webhook');
      return view(changed);
    },
  );
  airy.post(
    'webhooks.info',
    { needs: 'webhooks:read', answer: WebhookAnswer, summary: 'One webhook', body: One },
    async ({ body, workspaceId, principal }) => view(await find(workspaceId, body.id, principal.sandbox)),
  );
  airy.post(
    'webhooks.list',
    { needs: 'webhooks:read', answer: listAnswer(WebhookAnswer), summary: 'All webhooks' },
    async ({ workspaceId, principal }) => {
      const rows = await listSubscriptions(database, workspaceId, 'airy');
      return { data: rows.filter((row) => row.sandbox || !principal.sandbox).map(view) };
    },
  );
}
