/** Templates ↔ content: names and values travel as Bird writes them, or as components where those say too little. */
import Type from 'typebox';
import { Value } from 'typebox/value';
import type { MediaRef, TemplateComponent, TemplateContent, TemplateParameter } from '../../model/content.ts';
import { invalid } from '../../model/errors.ts';
import type { Template } from './schemas/body.ts';

const Component = Type.Object({
  type: Type.Union([
    Type.Literal('header'),
    Type.Literal('body'),
    Type.Literal('button'),
    Type.Literal('carousel'),
    Type.Literal('limited_time_offer'),
  ]),
  subType: Type.Optional(Type.String()),
  index: Type.Optional(Type.Integer({ minimum: 0 })),
  parameters: Type.Optional(Type.Array(Type.Object({ type: Type.String() }, { additionalProperties: true }))),
  cards: Type.Optional(Type.Array(Type.Object({ index: Type.Integer(), components: Type.Array(Type.Object({ type: Type.String() })) }))),
});

const PLACEHOLDER_TYPES = new Set(['currency', 'date_time', 'location', 'payload', 'coupon_code', 'action']);

/** Throws `invalid` without a name, and for components that are none. */
export function readTemplate(template: Template, refOf: (file: { mediaUrl: string }) => MediaRef): TemplateContent {
  const name = template.name ?? template.projectId;
  if (!name) throw invalid('template.name', 'is required');
  const content = { type: 'template', name, language: template.locale } as const;
  if (template.components) return { ...content, components: checked(template.components) };
  const parameters = [
    ...Object.entries(template.variables ?? {}).map(([key, value]) => ({ type: 'string', key, value: value as unknown })),
    ...(template.parameters ?? []),
  ];
  const header: TemplateParameter[] = [];
  const body: TemplateParameter[] = [];
  for (const { type, key, value } of parameters.sort(byPosition)) {
    if (type === 'image' || type === 'video' || type === 'document') {
      header.push({ type, media: refOf({ mediaUrl: String(value) }) });
      continue;
    }
    const named = /^\d+$/.test(key) ? {} : { name: key };
    if (PLACEHOLDER_TYPES.has(type) && typeof value === 'object' && value !== null) {
      body.push({ type: type as TemplateParameter['type'], ...named, value: value as Record<string, unknown> });
    } else body.push({ type: 'text', ...named, text: typeof value === 'string' ? value : JSON.stringify(value) });
  }
  const components: TemplateComponent[] = [];
  if (header.length > 0) components.push({ type: 'header', parameters: header });
  if (body.length > 0) components.push({ type: 'body', parameters: body });
  return { ...content, components };
}

export function showTemplate(content: TemplateContent): Template {
  return {
    name: content.name,
    locale: content.language,
    components: content.components.map((component) => ({ ...component })),
  };
}

/** Numbered placeholders in the order of their numbers, whatever order they were written in. */
function byPosition(one: { key: string }, other: { key: string }): number {
  const numbers = [Number(one.key), Number(other.key)];
  return numbers.some(Number.isNaN) ? 0 : numbers[0]! - numbers[1]!;
}

function checked(components: unknown[]): TemplateComponent[] {
  components.forEach((component, n) => {
    const [error] = Value.Errors(Component, component);
    if (error) throw invalid(`template.components.${n}${error.instancePath.replaceAll('/', '.')}`, error.message);
  });
  return components as TemplateComponent[];
}
