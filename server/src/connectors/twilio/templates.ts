/** WhatsApp templates through Twilio's Content API (twilio.com/docs/content/content-api-resources). */
import type { Content } from '../../model/content.ts';
import { ProviderError } from '../../model/errors.ts';
import type { ChannelView, ConnectorContext, NewTemplate, ProviderTemplate, TemplateOperations } from '../connector.ts';
import { accountOfChannel, call, callJson, pathOfPage } from './client.ts';
import { errorOf } from './errors.ts';
import type { Credentials, Settings } from './schemas.ts';
import { SESSION_NAME } from './session-content.ts';

type Channel = ChannelView<Settings, Credentials>;

interface ContentResource {
  sid: string;
  friendly_name?: string | null;
  language?: string | null;
  variables?: Record<string, string> | null;
  types?: Record<string, Record<string, unknown>> | null;
  approval_requests?: { name?: string; category?: string; status?: string; rejection_reason?: string } | null;
}

async function list(channel: Channel, context: ConnectorContext): Promise<ProviderTemplate[]> {
  const account = accountOfChannel(channel, context.config);
  const found: ProviderTemplate[] = [];
  let path: string | undefined = '/v1/ContentAndApprovals?PageSize=500';
  while (path) {
    const page: { contents?: ContentResource[]; meta?: { next_page_url?: string | null } } = await callJson(account, context, {
      service: 'content',
      path,
    });
    if (!Array.isArray(page.contents)) throw new ProviderError('retry', 'Twilio’s list of templates cannot be read');
    found.push(...page.contents.filter((content) => !content.friendly_name?.startsWith(SESSION_NAME)).map(templateOf));
    path = pathOfPage(page.meta?.next_page_url);
  }
  return found;
}

function templateOf(content: ContentResource): ProviderTemplate {
  const approval = content.approval_requests ?? {};
  return {
    name: approval.name || content.friendly_name || content.sid,
    language: content.language ?? 'en',
    status: approval.status || 'unsubmitted',
    category: approval.category || undefined,
    rejectedReason: approval.rejection_reason || undefined,
    providerRef: content.sid,
    components: componentsOf(content),
  };
}

/** The text first, in the shape that every WhatsApp template has, then Twilio's content types as they are. */
function componentsOf(content: ContentResource): unknown[] {
  const types = Object.entries(content.types ?? {});
  const body = types.map(([, definition]) => definition.body).find((text): text is string => typeof text === 'string');
  return [
    ...(body === undefined ? [] : [{ type: 'BODY', text: body }]),
    ...types.map(([type, definition]) => ({ type, ...definition })),
    ...(content.variables && Object.keys(content.variables).length > 0 ? [{ type: 'variables', variables: content.variables }] : []),
  ];
}

/** Creates the content, then asks WhatsApp's approval for it. */
async function create(template: NewTemplate, channel: Channel, context: ConnectorContext): Promise<ProviderTemplate> {
  const account = accountOfChannel(channel, context.config);
  const { types, variables } = definitionOf(template.components);
  const content = await callJson<ContentResource>(account, context, {
    service: 'content',
    method: 'POST',
    path: '/v1/Content',
    json: { friendly_name: template.name, language: template.language, variables, types },
  });
  const approval = await callJson<NonNullable<ContentResource['approval_requests']>>(account, context, {
    service: 'content',
    method: 'POST',
    path: `/v1/Content/${content.sid}/ApprovalRequests/whatsapp`,
    json: { name: template.name, category: template.category },
  });
  return templateOf({ ...content, approval_requests: { name: template.name, category: template.category, ...approval } });
}

interface Component {
  type?: string;
  text?: string;
  example?: { body_text?: string[][] };
  [key: string]: unknown;
}

/** Twilio's own content types as given; else a text made from a `BODY` component. */
function definitionOf(components: unknown[]): { types: Record<string, unknown>; variables: Record<string, string> } {
  const parts = components as Component[];
  const types: Record<string, unknown> = {};
  let variables: Record<string, string> = {};
  for (const { type, ...definition } of parts) {
    if (type?.includes('/')) types[type] = definition;
    if (type === 'variables') variables = definition.variables as Record<string, string>;
  }
  const body = parts.find((part) => part.type?.toUpperCase() === 'BODY');
  if (Object.keys(types).length === 0 && body?.text) types['twilio/text'] = { body: body.text };
  const examples = body?.example?.body_text?.[0];
  if (Object.keys(variables).length === 0 && examples) {
    variables = Object.fromEntries(examples.map((example, index) => [String(index + 1), example]));
  }
  if (Object.keys(types).length === 0) throw new ProviderError('rejected', 'the template has no text and no Twilio content type');
  return { types, variables };
}

async function remove(
  template: { name: string; language?: string; providerRef?: string },
  channel: Channel,
  context: ConnectorContext,
): Promise<void> {
  const account = accountOfChannel(channel, context.config);
  const sids = template.providerRef
    ? [template.providerRef]
    : (await list(channel, context))
        .filter((known) => known.name === template.name && (!template.language || known.language === template.language))
        .map((known) => known.providerRef!);
  for (const sid of sids) {
    const response = await call(account, context, { service: 'content', method: 'DELETE', path: `/v1/Content/${sid}` });
    if (response.status >= 300 && response.status !== 404) throw errorOf(response);
  }
}

/** Twilio's id of a template that is known by name only. */
export async function contentSidOf(name: string, language: string, channel: Channel, context: ConnectorContext): Promise<string> {
  const key = `content:${language}:${name}`;
  const known = await context.memo.get(key);
  if (typeof known === 'string') return known;
  const found = (await list(channel, context)).find((template) => template.name === name && sameLanguage(template.language, language));
  if (!found) {
    throw new ProviderError('rejected', `Twilio has no template "${name}" in ${language}`, { code: '63027', hint: 'Sync the templates.' });
  }
  await context.memo.set(key, found.providerRef!, 3600);
  return found.providerRef!;
}

function sameLanguage(a: string, b: string): boolean {
  return a.toLowerCase().replace('-', '_') === b.toLowerCase().replace('-', '_');
}

const PLACEHOLDER = /\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g;

/** Fills the template's text: problems for values that are missing, and what the customer will read. */
function render(template: ProviderTemplate, content: Extract<Content, { type: 'template' }>): { problems: string[]; text: string } {
  const body = (template.components as Component[]).find((part) => part.type === 'BODY')?.text ?? '';
  const given = content.components.flatMap((component) => component.parameters ?? []);
  const values = new Map(given.map((parameter, index) => [parameter.name ?? String(index + 1), parameter.text ?? '']));
  const defaults = (template.components as Component[]).find((part) => part.type === 'variables')?.variables as
    | Record<string, string>
    | undefined;
  const problems: string[] = [];
  const text = body.replace(PLACEHOLDER, (placeholder, name: string) => {
    const value = values.get(name) ?? defaults?.[name];
    if (value !== undefined) return value;
    problems.push(`no value for {{${name}}}`);
    return placeholder;
  });
  return { problems: [...new Set(problems)], text };
}

export const templates: TemplateOperations<Settings, Credentials> = {
  list,
  create,
  delete: remove,
  account: (channel) => String(channel.details.account_sid ?? channel.credentials.account_sid ?? ''),
  render,
};
