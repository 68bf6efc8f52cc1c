/** WhatsApp message templates (000, "Message Templates"; decisions.md B6). */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { createTemplate } from '../../engine/templates.ts';
import { isConnected } from '../../model/channel.ts';
import { invalid, PatchbayError } from '../../model/errors.ts';
import { placeholdersOf } from '../../model/placeholders.ts';
import type { ChannelRow } from '../../store/channels.ts';
import { listTemplates, type ProviderTemplateRow } from '../../store/provider-templates.ts';
import { visibleTo } from '../access.ts';
import type { Principal } from '../auth.ts';
import { timeOf } from '../times.ts';
import type { TypedApp } from '../typed.ts';
import { idOf } from './ids.ts';
import { Page, pageOf } from './shapes.ts';
import { findWhatsApp } from './whatsapp-channels.ts';

const Optional = Type.Optional(Type.String({ minLength: 1 }));

export function registerTemplates(app: TypedApp, engine: Engine): void {
  app.get(
    '/whatsapp/templates',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'List WhatsApp templates',
        querystring: Type.Object({ ...Page, channel_id: Optional, status: Optional, language: Optional, search: Optional }),
      },
    },
    async (request) => {
      const { channel_id, status, language, search, limit, offset } = request.query;
      const { principal } = request;
      const channel = channel_id ? await findWhatsApp(engine, principal, channel_id) : undefined;
      const { templates, total } = await listTemplates(engine.database, principal.workspaceId, {
        source: 'whatsapp',
        limit,
        offset,
        // Never dropped silently (decisions.md B7): what vanished at Meta says so.
        withDeleted: true,
        ...(channel ? { account: channel.account } : {}),
        ...(principal.sandbox ? { accounts: await accountsFor(principal) } : {}),
        ...(status ? { status: status.toUpperCase() } : {}),
        ...(language ? { language } : {}),
        ...(search ? { search } : {}),
      });
      return pageOf(templates.map(shown), total, request.query);
    },
  );

  app.post(
    '/whatsapp/templates',
    {
      schema: {
        tags: ['Aurion'],
        summary: 'Add a WhatsApp template',
        body: Type.Object({
          name: Type.String({ pattern: '^[a-z0-9_]{1,512}$' }),
          language: Type.String({ pattern: '^[a-z]{2,3}(_[A-Za-z]{2,4})?$' }),
          body: Type.String({ minLength: 1, maxLength: 1024 }),
          category: Type.Optional(Type.Union([Type.Literal('UTILITY'), Type.Literal('MARKETING'), Type.Literal('AUTHENTICATION')])),
          channel_id: Optional,
        }),
      },
    },
    async (request, reply) => {
      const { name, language, body, category, channel_id } = request.body;
      const examples = examplesFor(body);
      const channel = await channelFor(request.principal, channel_id);
      const created = await createTemplate(engine, channel, {
        name,
        language,
        category: category ?? 'UTILITY',
        components: [{ type: 'BODY', text: body, ...(examples.length > 0 ? { example: { body_text: [examples] } } : {}) }],
      });
      return reply.code(201).send(shown(created));
    },
  );

  /** The named channel, or the only one there is. */
  async function channelFor(principal: Principal, id: string | undefined): Promise<ChannelRow> {
    if (id) return findWhatsApp(engine, principal, id);
    const all = await engine.channels.list(principal.workspaceId, { sources: ['whatsapp'], ...visibleTo(principal) });
    const rows = all.filter((row) => isConnected(row.status));
    if (rows.length === 0) throw new PatchbayError('conflict', 'there is no WhatsApp channel to create the template on');
    if (rows.length > 1) throw invalid('channel_id', 'is required: there are several WhatsApp channels');
    return rows[0]!;
  }

  async function accountsFor(principal: Principal): Promise<string[]> {
    const rows = await engine.channels.list(principal.workspaceId, { sources: ['whatsapp'], ...visibleTo(principal) });
    return rows.map((row) => row.account);
  }
}

/** Meta wants a sample of every value; the placeholders must be {{1}} … {{n}} without holes. */
function examplesFor(body: string): string[] {
  const found = placeholdersOf(body);
  if (found.some((placeholder) => !/^\d+$/.test(placeholder))) throw invalid('body', 'placeholders are numbers: {{1}}, {{2}}, …');
  const numbers = found.map(Number).sort((a, b) => a - b);
  if (numbers.some((number, index) => number !== index + 1)) throw invalid('body', 'placeholders are numbered from {{1}} without holes');
  return numbers.map((number) => `sample ${number}`);
}

function shown(row: ProviderTemplateRow) {
  const components = row.components as { type?: string; text?: string }[];
  return {
    id: idOf('tpl', row.id),
    name: row.name,
    language: row.language,
    status: row.status,
    category: row.category ?? 'UTILITY',
    body: components.find((component) => component.type?.toUpperCase() === 'BODY')?.text ?? '',
    rejected_reason: row.rejectedReason,
    quality: row.quality,
    components: row.components,
    created_at: timeOf(row.createdAt),
    updated_at: timeOf(row.updatedAt),
  };
}
