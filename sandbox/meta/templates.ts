/** `message_templates`: listing by pages, creating, editing, deleting. developers.facebook.com/docs/graph-api/reference/whats-app-business-account/message_templates */
import { GraphError, missing } from './errors.ts';
import { newTemplate, type Template, type Waba } from './state.ts';

type Body = Record<string, any>;

const CATEGORIES = ['MARKETING', 'UTILITY', 'AUTHENTICATION'];

/** One page of a list, as the Graph API pages: opaque cursors, `next` only where there is more. */
export function pageOf<T>(items: T[], query: Record<string, string | undefined>, address: string): unknown {
  const limit = Math.min(Math.max(Number(query.limit) || 25, 1), 1000);
  const start = query.after ? Number(Buffer.from(query.after, 'base64url').toString()) : 0;
  if (!Number.isInteger(start) || start < 0) throw new GraphError(400, 100, '(#100) Invalid cursor');
  const data = items.slice(start, start + limit);
  const cursor = (at: number) => Buffer.from(String(at)).toString('base64url');
  const end = start + data.length;
  const next = end < items.length ? { next: `${address}?limit=${limit}&after=${cursor(end)}` } : {};
  return { data, ...(data.length > 0 ? { paging: { cursors: { before: cursor(start), after: cursor(end) }, ...next } } : {}) };
}

export function listed(waba: Waba, query: Record<string, string | undefined>): Template[] {
  return waba.templates.filter(
    (template) =>
      (!query.name || template.name === query.name) &&
      (!query.status || template.status === query.status) &&
      (!query.language || template.language === query.language) &&
      (!query.category || template.category === query.category),
  );
}

/** New templates wait for review, as at Meta. */
export function create(waba: Waba, body: Body): Template {
  for (const name of ['name', 'language', 'category']) if (typeof body[name] !== 'string') throw missing(name);
  if (!/^[a-z0-9_]{1,512}$/.test(body.name))
    throw new GraphError(400, 100, 'Invalid parameter', { subcode: 2388023, details: 'name may hold only a-z, 0-9 and _' });
  if (!CATEGORIES.includes(body.category))
    throw new GraphError(400, 100, `(#100) Param category must be one of {${CATEGORIES.join(', ')}}`);
  checkComponents(body.components);
  if (waba.templates.some(({ name, language }) => name === body.name && language === body.language)) {
    throw new GraphError(400, 100, 'Invalid parameter', {
      subcode: 2388024,
      details: 'There is already content in this language for this template',
    });
  }
  const { name, language, category, components } = body;
  const template = newTemplate({
    name,
    language,
    category,
    components,
    status: 'PENDING',
    parameter_format: body.parameter_format ?? 'POSITIONAL',
  });
  waba.templates.push(template);
  return template;
}

/** Only what was reviewed or refused may be changed, and it waits again afterwards. */
export function edit(template: Template, body: Body): void {
  if (!['APPROVED', 'REJECTED', 'PAUSED'].includes(template.status))
    throw new GraphError(400, 100, 'Invalid parameter', {
      details: 'Message templates can only be edited when approved, rejected or paused',
    });
  if (body.components !== undefined) {
    checkComponents(body.components);
    template.components = body.components;
  }
  if (body.category !== undefined) template.category = body.category;
  template.status = 'PENDING';
}

export function remove(waba: Waba, query: Record<string, string | undefined>): void {
  if (!query.name) throw missing('name');
  const gone = waba.templates.filter(({ name, id }) => name === query.name && (!query.hsm_id || id === query.hsm_id));
  if (gone.length === 0)
    throw new GraphError(400, 100, 'Invalid parameter', { subcode: 2593002, details: 'Message template was not found' });
  waba.templates = waba.templates.filter((template) => !gone.includes(template));
}

function checkComponents(components: unknown): void {
  if (!Array.isArray(components) || components.length === 0) throw missing('components');
  if (!components.some((component) => component?.type === 'BODY' || component?.type === 'body'))
    throw new GraphError(400, 100, 'Invalid parameter', { details: 'A body is required' });
  for (const component of components as Body[]) {
    const placeholders = String(component.text ?? '').match(/\{\{\s*\w+\s*\}\}/g) ?? [];
    if (placeholders.length > 0 && !component.example) {
      throw new GraphError(400, 100, 'Invalid parameter', {
        subcode: 2388043,
        details: `component of type ${component.type} is missing expected field(s) (example)`,
      });
    }
    const type = String(component.type).toUpperCase();
    const longest = type === 'BODY' ? 1024 : 60;
    if (['BODY', 'HEADER', 'FOOTER'].includes(type) && String(component.text ?? '').length > longest)
      throw new GraphError(400, 100, `(#100) ${type} is longer than ${longest} characters`);
    if (type === 'BUTTONS' && (component.buttons?.length ?? 0) > 10)
      throw new GraphError(400, 100, '(#100) There are more than 10 buttons');
  }
}
