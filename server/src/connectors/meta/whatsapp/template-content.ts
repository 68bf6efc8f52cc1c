/** A template message in Meta's shape → our words: what body.ts writes, read back. */
import type { MediaRef, TemplateComponent, TemplateContent, TemplateParameter } from '../../../model/content.ts';
import { type Json, number, record, records, text } from '../values.ts';

const COMPONENTS: readonly string[] = ['header', 'body', 'button', 'carousel', 'limited_time_offer'] satisfies TemplateComponent['type'][];

/** The template with its values. What is no component or value of Meta's is left out. */
export function templateOf(part: Json): TemplateContent {
  const language = text(record(part.language)?.code) ?? text(part.language) ?? '';
  return { type: 'template', name: text(part.name) ?? '', language, components: records(part.components).flatMap(componentOf) };
}

function componentOf(component: Json): TemplateComponent[] {
  const type = text(component.type)?.toLowerCase() ?? '';
  if (!COMPONENTS.includes(type)) return [];
  const subType = text(component.sub_type)?.toLowerCase();
  const index = number(component.index);
  const cards = records(component.cards).map((card, at) => ({
    index: number(card.card_index) ?? at,
    components: records(card.components).flatMap(componentOf),
  }));
  return [
    {
      type: type as TemplateComponent['type'],
      ...(subType ? { subType } : {}),
      ...(index === undefined ? {} : { index }),
      ...(Array.isArray(component.parameters) ? { parameters: records(component.parameters).flatMap(parameterOf) } : {}),
      ...(cards.length > 0 ? { cards } : {}),
    },
  ];
}

function parameterOf(parameter: Json): TemplateParameter[] {
  const type = text(parameter.type)?.toLowerCase() as TemplateParameter['type'] | undefined;
  if (!type) return [];
  const name = text(parameter.parameter_name);
  const named = name ? { name } : {};
  const value = record(parameter[type]);
  switch (type) {
    case 'text':
      return [{ type, ...named, text: text(parameter.text) ?? '' }];
    case 'payload':
      return [{ type, text: text(parameter.payload) ?? '' }];
    case 'coupon_code':
      return [{ type, text: text(parameter.coupon_code) ?? '' }];
    case 'image':
    case 'video':
    case 'document':
      return [{ type, ...(value ? { media: fileOf(value) } : {}) }];
    default:
      return [{ type, ...named, ...(value ? { value } : {}) }];
  }
}

function fileOf(value: Json): MediaRef {
  const id = text(value.id);
  const link = text(value.link);
  const filename = text(value.filename);
  return { ...(id ? { providerRef: id } : link ? { url: link } : {}), ...(filename ? { filename } : {}) };
}
