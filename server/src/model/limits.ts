import type { Capabilities, MediaLimit } from './capabilities.ts';
import { carries } from './capabilities.ts';
import type { Content, MediaContent } from './content.ts';

/**
 * Every limit of a channel that this content breaks, in words that name the limit and the value. Empty when it can be
 * sent as it is. A native payload is the provider's to judge.
 */
export function violations(content: Content, capabilities: Capabilities): string[] {
  if (!carries(capabilities, content.type)) return [`this channel cannot carry ${content.type} messages`];
  switch (content.type) {
    case 'text':
      return tooLong('text', content.text, capabilities.text!.max, capabilities.text!.unit);
    case 'image':
    case 'video':
    case 'audio':
    case 'file':
    case 'sticker':
      return mediaViolations(content, capabilities.media![content.type]!);
    case 'choices': {
      const limit = capabilities.choices!;
      return [
        ...tooLong('text', content.text, limit.text),
        ...(content.header ? tooLong('header', content.header, limit.header ?? 0) : []),
        ...(content.footer ? tooLong('footer', content.footer, limit.footer ?? 0) : []),
        ...tooMany('choices', content.choices.length, limit.max),
        ...content.choices.flatMap((choice, index) => tooLong(`choice ${index + 1}`, choice.title, limit.title)),
      ];
    }
    case 'list': {
      const limit = capabilities.list!;
      const rows = content.sections.flatMap((section) => section.rows);
      return [
        ...tooLong('text', content.text, limit.text),
        ...tooLong('button', content.button, limit.button),
        ...tooMany('sections', content.sections.length, limit.sections),
        ...tooMany('rows', rows.length, limit.rows),
        ...rows.flatMap((row, index) => [
          ...tooLong(`row ${index + 1}`, row.title, limit.title),
          ...tooLong(`description of row ${index + 1}`, row.description ?? '', limit.description),
        ]),
      ];
    }
    case 'cards': {
      const limit = capabilities.cards!;
      return [
        ...tooMany('cards', content.cards.length, limit.max),
        ...content.cards.flatMap((card, index) => [
          ...tooLong(`title of card ${index + 1}`, card.title ?? '', limit.title),
          ...tooLong(`text of card ${index + 1}`, card.text ?? '', limit.text),
          ...tooMany(`actions of card ${index + 1}`, card.actions?.length ?? 0, limit.actions),
        ]),
      ];
    }
    default:
      return [];
  }
}

function mediaViolations(content: MediaContent, limit: MediaLimit): string[] {
  const problems: string[] = [];
  for (const media of [content.media, ...(content.more ?? [])]) {
    if (media.size !== undefined && media.size > limit.maxBytes) {
      problems.push(`${content.type} is ${media.size} bytes, this channel takes at most ${limit.maxBytes}`);
    }
  }
  // Further files may be of another kind; their type is the provider's to judge.
  const type = content.media.mimeType;
  if (type && !acceptsType(limit, type)) problems.push(`${content.type} is ${type}, this channel takes ${limit.types.join(', ')}`);
  if (content.caption) problems.push(...tooLong('caption', content.caption, limit.caption ?? 0));
  return problems;
}

/** True when a content type (parameters ignored) is one that the limit names. */
export function acceptsType(limit: MediaLimit, mimeType: string): boolean {
  const type = mimeType.split(';')[0]!.trim().toLowerCase();
  return limit.types.some(
    (accepted) => accepted === '*' || accepted === type || (accepted.endsWith('/*') && type.startsWith(accepted.slice(0, -1))),
  );
}

function tooLong(what: string, value: string, max: number, unit: 'characters' | 'bytes' = 'characters'): string[] {
  const length = unit === 'bytes' ? Buffer.byteLength(value) : [...value].length;
  if (length <= max) return [];
  return [max === 0 ? `this channel carries no ${what}` : `${what} has ${length} ${unit}, this channel takes at most ${max}`];
}

function tooMany(what: string, count: number, max: number): string[] {
  return count > max ? [`${count} ${what}, this channel takes at most ${max}`] : [];
}
