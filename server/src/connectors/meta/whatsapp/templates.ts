/** Templates of a WhatsApp business account. developers.facebook.com/docs/whatsapp/business-management-api/message-templates */
import { ProviderError } from '../../../model/errors.ts';
import type { NewTemplate, ProviderTemplate, TemplateOperations } from '../../connector.ts';
import { type Json, record, records, text } from '../values.ts';
import { type Channel, type Credentials, graphOf, requireWaba, type Settings, wabaOf } from './account.ts';
import { formatOf, withExamples } from './placeholders.ts';
import { render } from './render.ts';

const FIELDS = 'id,name,language,status,category,quality_score,rejected_reason,components,parameter_format';

export const templates: TemplateOperations<Settings, Credentials> = {
  async list(channel, context) {
    const found = await graphOf(channel, context).all(`${requireWaba(channel)}/message_templates`, {
      query: { fields: FIELDS, limit: '100' },
    });
    return found.flatMap(read);
  },

  async create(template, channel, context) {
    const components = withExamples(template.components);
    const answer = await graphOf(channel, context).call(`${requireWaba(channel)}/message_templates`, {
      method: 'POST',
      repeatable: true,
      json: bodyOf(template, components),
    });
    return {
      name: template.name,
      language: template.language,
      status: text(answer.status) ?? 'PENDING',
      category: text(answer.category) ?? template.category,
      providerRef: text(answer.id),
      components,
    };
  },

  async edit(template, channel, context) {
    const id = template.providerRef ?? (await idOf(template, channel, context));
    const components = withExamples(template.components);
    await graphOf(channel, context).call(id, {
      method: 'POST',
      repeatable: true,
      json: { ...(template.category ? { category: template.category } : {}), components },
    });
    const now = read(await graphOf(channel, context).call(id, { query: { fields: FIELDS } }))[0];
    return now ?? { ...template, components, providerRef: id, status: 'PENDING' };
  },

  async delete(template, channel, context) {
    const id =
      template.providerRef ?? (template.language ? await idOf({ ...template, language: template.language }, channel, context) : undefined);
    await graphOf(channel, context).call(`${requireWaba(channel)}/message_templates`, {
      method: 'DELETE',
      query: { name: template.name, hsm_id: template.language || template.providerRef ? id : undefined },
    });
  },

  account(channel) {
    return wabaOf(channel) ?? channel.sourceChannelId;
  },

  render,
};

function bodyOf(template: NewTemplate, components: Json[]): Json {
  const { name, language, category } = template;
  const named = formatOf(components) === 'NAMED' ? { parameter_format: 'NAMED' } : {};
  return { name, language, category: category.toUpperCase(), ...named, components };
}

async function idOf(
  template: { name: string; language: string },
  channel: Channel,
  context: Parameters<typeof graphOf>[1],
): Promise<string> {
  const found = await graphOf(channel, context).all(`${requireWaba(channel)}/message_templates`, {
    query: { fields: 'id,name,language', name: template.name, limit: '100' },
  });
  const id = text(found.find((candidate) => candidate.name === template.name && candidate.language === template.language)?.id);
  if (!id)
    throw new ProviderError('rejected', `Meta has no template ${template.name} in ${template.language}`, {
      code: 'unknown-template',
      status: 404,
    });
  return id;
}

/** A template as Meta lists it; nothing for an entry without a name. */
function read(template: Json): ProviderTemplate[] {
  const name = text(template.name);
  const language = text(template.language);
  if (!name || !language) return [];
  const reason = text(template.rejected_reason);
  return [
    {
      name,
      language,
      status: text(template.status) ?? 'UNKNOWN',
      category: text(template.category),
      quality: text(record(template.quality_score)?.score),
      rejectedReason: reason === 'NONE' ? undefined : reason,
      providerRef: text(template.id),
      components: records(template.components),
    },
  ];
}
