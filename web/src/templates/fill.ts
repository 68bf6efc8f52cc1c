/** From a template form's values to what is sent. */
import type { TemplateComponent, TemplateField } from '../api/types.ts';

/** Tells a template's fields apart. */
export function keyOf({ component, index = 0, name }: TemplateField): string {
  return `${component} ${index} ${name}`;
}

/** The components with the values that were given, one for the header, one for the body, one for each button. */
export function componentsOf(fields: TemplateField[], values: Record<string, string>): TemplateComponent[] {
  const components: TemplateComponent[] = [];
  for (const field of fields) {
    const value = values[keyOf(field)]?.trim();
    if (!value) continue;
    const { component: type, index, subType } = field;
    let own = components.find((one) => one.type === type && one.index === index);
    if (!own) {
      own = { type, ...(index === undefined ? {} : { index }), ...(subType ? { subType } : {}), parameters: [] };
      components.push(own);
    }
    own.parameters.push(parameterOf(field, value));
  }
  return components;
}

function parameterOf({ type, name }: TemplateField, value: string): TemplateComponent['parameters'][number] {
  if (type === 'image' || type === 'video' || type === 'document') return { type, media: { url: value } };
  const named = name === '' || /^\d+$/.test(name) ? {} : { name };
  return { type, ...named, text: value };
}
