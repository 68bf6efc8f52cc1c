/**
 * A template and its values → what the customer reads, and what does not fit. Meta would refuse the same with codes
 * 132000, 132005, 132012 or 131008, but only after the message was accepted here.
 */
import type { TemplateComponent, TemplateContent, TemplateParameter } from '../../../model/content.ts';
import type { ProviderTemplate } from '../../connector.ts';
import { type Json, number, record, records, text } from '../values.ts';
import { fill, isNamed, placeholdersOf } from './placeholders.ts';

const MEDIA_HEADERS: Record<string, string> = {
  IMAGE: 'image',
  VIDEO: 'video',
  GIF: 'video',
  DOCUMENT: 'document',
  LOCATION: 'location',
  PRODUCT: 'product',
};
/** Meta words the body of authentication templates itself, in every language; the code is its one value. */
const CODE_TEXT = '{{1}}';
const LONGEST: Record<string, number> = { header: 60, body: 1024 };

/** Problems in plain words, empty when all fits; and the text as far as it could be filled. */
export function render(template: ProviderTemplate, content: TemplateContent): { problems: string[]; text: string } {
  const problems: string[] = [];
  if (template.status !== 'APPROVED')
    problems.push(`The template ${template.name} (${template.language}) is ${template.status}, not APPROVED`);
  const words = fitAll(records(template.components), content.components, problems, '');
  return { problems, text: words.join('\n') };
}

function fitAll(defined: Json[], given: TemplateComponent[], problems: string[], place: string): string[] {
  const words: string[] = [];
  const say = (problem: string) => problems.push(`${place}${problem}`);
  for (const component of defined) {
    switch (text(component.type)?.toUpperCase()) {
      case 'HEADER':
        words.push(...header(component, parametersOf(given, 'header'), say));
        break;
      case 'BODY':
        words.push(filled('body', bodyTextOf(component), parametersOf(given, 'body'), say));
        break;
      case 'FOOTER':
        words.push(text(component.text) ?? '');
        break;
      case 'BUTTONS':
        buttons(records(component.buttons), given, say);
        break;
      case 'LIMITED_TIME_OFFER':
        offer(record(component.limited_time_offer) ?? {}, parametersOf(given, 'limited_time_offer'), say);
        break;
      case 'CAROUSEL':
        words.push(...carousel(records(component.cards), given, problems));
        break;
    }
  }
  for (const type of ['header', 'body'] as const) {
    const isDefined = defined.some((component) => text(component.type)?.toLowerCase() === type);
    if (!isDefined && parametersOf(given, type).length > 0) say(`The template has no ${type}, but values for one are given`);
  }
  if (!defined.some((component) => text(component.type)?.toUpperCase() === 'BUTTONS')) {
    for (const button of given.filter(({ type }) => type === 'button')) say(`The template has no button ${(button.index ?? 0) + 1}`);
  }
  return words.filter((line) => line !== '');
}

function bodyTextOf(component: Json): string {
  return text(component.text) ?? (typeof component.add_security_recommendation === 'boolean' ? CODE_TEXT : '');
}

/** An offer that ends needs to be told when. */
function offer(defined: Json, given: TemplateParameter[], say: (problem: string) => void): void {
  if (defined.has_expiration !== true) return;
  if (number(given[0]?.value?.expiration_time_ms) === undefined) say('The offer’s end (limited_time_offer, expiration_time_ms) is missing');
}

function parametersOf(given: TemplateComponent[], type: string): TemplateParameter[] {
  return given.filter((component) => component.type === type).flatMap((component) => component.parameters ?? []);
}

function header(component: Json, given: TemplateParameter[], say: (problem: string) => void): string[] {
  const format = text(component.format)?.toUpperCase() ?? 'TEXT';
  if (format === 'TEXT') return [filled('header', text(component.text) ?? '', given, say)];
  const kind = MEDIA_HEADERS[format];
  if (!kind) return [];
  const value = given[0];
  if (given.length !== 1 || value?.type !== kind) {
    say(`The header needs one ${kind}${value ? `, and ${given.map(({ type }) => type).join(', ')} is given` : ''}`);
  } else if (!value.media && !value.location && !value.value) say(`The header’s ${kind} is missing`);
  return [];
}

/** One text with its values put in; says what is missing, too much, or cannot be sent. */
function filled(part: string, words: string, given: TemplateParameter[], say: (problem: string) => void): string {
  const names = placeholdersOf(words);
  const named = isNamed(names);
  if (!named && given.length !== names.length) say(`The ${part} takes ${count(names.length, 'value')}, and ${given.length} given`);
  const values = new Map<string, string>();
  given.forEach((parameter, index) => {
    const name = named ? parameter.name : String(index + 1);
    if (name === undefined) say(`The ${part}’s values need names: ${names.join(', ')}`);
    else if (!names.includes(name)) {
      if (named) say(`The ${part} has no placeholder {{${name}}}`);
    } else values.set(name, readable(parameter));
    const problem = problemOf(parameter);
    if (problem) say(`The ${part}’s value ${name ?? index + 1} ${problem}`);
  });
  if (named) for (const name of names) if (!values.has(name)) say(`The ${part}’s value for {{${name}}} is missing`);
  const result = fill(words, values);
  const longest = LONGEST[part];
  if (longest !== undefined && result.length > longest)
    say(`The ${part} is ${result.length} characters long with its values; ${longest} are allowed`);
  return result;
}

function problemOf(parameter: TemplateParameter): string | undefined {
  if (parameter.type !== 'text')
    return parameter.type === 'currency' || parameter.type === 'date_time' ? undefined : `is ${parameter.type}, and text is needed`;
  if (!parameter.text) return 'is empty';
  return /[\n\t]| {5,}/.test(parameter.text)
    ? 'holds a line break, a tab or more than four spaces in a row, which WhatsApp refuses'
    : undefined;
}

function readable(parameter: TemplateParameter): string {
  return parameter.text ?? text(parameter.value?.fallback_value) ?? '';
}

/** Kinds of buttons whose values must be given, and as what. */
const BUTTON_VALUES: Record<string, { subTypes: string[]; value: TemplateParameter['type'][]; needed: (button: Json) => boolean }> = {
  QUICK_REPLY: { subTypes: ['quick_reply'], value: ['payload', 'text'], needed: () => false },
  URL: { subTypes: ['url'], value: ['text'], needed: (button) => placeholdersOf(button.url).length > 0 },
  COPY_CODE: { subTypes: ['copy_code'], value: ['coupon_code'], needed: () => true },
  OTP: { subTypes: ['url', 'otp'], value: ['text'], needed: () => true },
  FLOW: { subTypes: ['flow'], value: ['action'], needed: () => false },
  CATALOG: { subTypes: ['catalog'], value: ['action'], needed: () => false },
  MPM: { subTypes: ['mpm'], value: ['action'], needed: () => true },
  PHONE_NUMBER: { subTypes: [], value: [], needed: () => false },
};

function buttons(defined: Json[], given: TemplateComponent[], say: (problem: string) => void): void {
  const sent = given.filter(({ type }) => type === 'button');
  for (const { index = 0 } of sent) if (index >= defined.length) say(`The template has no button ${index + 1}; it has ${defined.length}`);
  defined.forEach((button, index) => {
    const type = text(button.type)?.toUpperCase() ?? '';
    const rule = Object.hasOwn(BUTTON_VALUES, type) ? BUTTON_VALUES[type] : undefined;
    if (!rule) return;
    const label = `Button ${index + 1} (${text(button.text) ?? type})`;
    const component = sent.find((candidate) => (candidate.index ?? 0) === index);
    if (!component) {
      if (rule.needed(button)) say(`${label} needs a value`);
      return;
    }
    const subType = component.subType?.toLowerCase();
    if (rule.subTypes.length === 0) say(`${label} takes no value`);
    else if (subType && !rule.subTypes.includes(subType)) say(`${label} is of the kind ${rule.subTypes[0]}, not ${subType}`);
    const parameters = component.parameters ?? [];
    if (rule.needed(button) && parameters.length !== 1) say(`${label} takes 1 value, and ${parameters.length} given`);
    for (const parameter of parameters) {
      if (rule.value.length > 0 && !rule.value.includes(parameter.type)) say(`${label} takes ${rule.value[0]}, not ${parameter.type}`);
      else if (parameter.type !== 'action' && !parameter.text) say(`${label} has an empty value`);
    }
  });
}

function carousel(defined: Json[], given: TemplateComponent[], problems: string[]): string[] {
  const cards = given.find(({ type }) => type === 'carousel')?.cards ?? [];
  if (cards.length !== defined.length) problems.push(`The carousel has ${count(defined.length, 'card')}, and ${cards.length} given`);
  return defined.flatMap((card, index) => {
    const values = cards.find((candidate) => candidate.index === index) ?? cards[index];
    return values ? fitAll(records(card.components), values.components, problems, `Card ${index + 1}: `) : [];
  });
}

function count(amount: number, noun: string): string {
  return amount === 1 ? `1 ${noun}` : `${amount} ${noun}s`;
}
