/** What a template asks whoever sends it to fill in, so that forms can be drawn from it. */
import { placeholdersOf } from './placeholders.ts';

export interface TemplateField {
  component: 'header' | 'body' | 'button';
  /** Which button. */
  index?: number;
  /** `url`, `copy_code`: what a button's value is for. */
  subType?: string;
  /** The placeholder: `1`, `first_name`; empty where the component takes one value without a name. */
  name: string;
  type: 'text' | 'image' | 'video' | 'document' | 'location' | 'coupon_code';
  /** The words around it, as the provider keeps them. */
  text?: string;
}

interface Part {
  type?: unknown;
  format?: unknown;
  text?: unknown;
  url?: unknown;
  buttons?: unknown;
}

const MEDIA = ['image', 'video', 'document', 'location'] as const;

/** The fields of a stored template, in the order in which they are read. Components that take nothing give none. */
export function templateFields(components: unknown[]): TemplateField[] {
  return components.flatMap((component) => fieldsOf((component ?? {}) as Part));
}

/** The template's own words: its body. */
export function templateText(components: unknown[]): string {
  const body = components.find((component) => kindOf(component as Part) === 'body') as Part | undefined;
  return typeof body?.text === 'string' ? body.text : '';
}

function kindOf(part: Part | undefined): string {
  return typeof part?.type === 'string' ? part.type.toLowerCase() : '';
}

function fieldsOf(part: Part): TemplateField[] {
  switch (kindOf(part)) {
    case 'header': {
      const format = typeof part.format === 'string' ? part.format.toLowerCase() : 'text';
      const media = MEDIA.find((known) => known === format);
      return media ? [{ component: 'header', name: '', type: media }] : textFields('header', part.text);
    }
    case 'body':
      return textFields('body', part.text);
    case 'buttons':
      return Array.isArray(part.buttons) ? part.buttons.flatMap((button, index) => buttonFields((button ?? {}) as Part, index)) : [];
    default:
      return [];
  }
}

function textFields(component: 'header' | 'body', text: unknown): TemplateField[] {
  if (typeof text !== 'string') return [];
  return placeholdersOf(text)
    .sort(byNumber)
    .map((name) => ({ component, name, type: 'text', text }));
}

function buttonFields(button: Part, index: number): TemplateField[] {
  const label = typeof button.text === 'string' ? { text: button.text } : {};
  if (kindOf(button) === 'copy_code') {
    return [{ component: 'button', index, subType: 'copy_code', name: '', type: 'coupon_code', ...label }];
  }
  if (kindOf(button) !== 'url' || typeof button.url !== 'string') return [];
  return placeholdersOf(button.url).map((name) => ({ component: 'button', index, subType: 'url', name, type: 'text', ...label }));
}

function byNumber(one: string, other: string): number {
  const [a, b] = [Number(one), Number(other)];
  return Number.isNaN(a) || Number.isNaN(b) ? 0 : a - b;
}
