/** What Twilio checks of a Content's types when it is created, and what WhatsApp takes of it without an approval. */
import { Refusal, type SandboxContent } from './state.ts';

type Fields = Record<string, any>;

/** Throws `Refusal` on a type that is not complete or too long. */
export function checkTypes(types: Record<string, Fields>): void {
  for (const [type, fields] of Object.entries(types)) if (Object.hasOwn(CHECKS, type)) CHECKS[type]!(fields ?? {});
}

const bad = (message: string) => new Refusal(400, 20001, message);

const CHECKS: Record<string, (fields: Fields) => void> = {
  'twilio/text': ({ body }) => text('body', body, 1600),
  'twilio/quick-reply': ({ body, actions }) => {
    text('body', body, 1024);
    list('actions', actions, 10);
    for (const action of actions) text('title', action.title, 25);
  },
  'twilio/list-picker': ({ body, button, items }) => {
    text('body', body, 1024);
    text('button', button, 20);
    list('items', items, 10);
    for (const item of items) {
      text('item', item.item, 24);
      text('id', item.id, 200);
      if (item.description !== undefined) text('description', item.description, 72);
    }
  },
  'twilio/card': ({ title, subtitle, media, actions }) => {
    text('title', title, 1024);
    if (subtitle === undefined && !media?.length && !actions?.length) throw bad('a card needs one field besides its title');
    for (const action of actions ?? []) text('title', action.title, 25);
  },
};

function text(name: string, value: unknown, max: number): void {
  if (typeof value !== 'string' || value === '' || [...value].length > max) throw bad(`${name} must have 1 to ${max} characters`);
}

function list(name: string, value: unknown, max: number): void {
  if (!Array.isArray(value) || value.length === 0 || value.length > max) throw bad(`${name} must have 1 to ${max} entries`);
}

/** Why WhatsApp does not deliver the Content in an open session; undefined when it does. */
export function sessionProblem(content: SandboxContent): [number, string] | undefined {
  if (content.approval.status === 'approved') return undefined;
  const actions: Fields[] = (content.types['twilio/quick-reply']?.actions ?? content.types['twilio/card']?.actions ?? []) as Fields[];
  const replies = actions.filter(({ type }) => type === 'QUICK_REPLY').length;
  const oneLink = actions.length === 1 && actions[0]!.type === 'URL';
  if (actions.length > 3 || (replies !== actions.length && !oneLink))
    return [63013, 'This message send failed because it violates Channel provider policy.'];
  if (actions.some(({ title, id }) => [...title].length > 20 || (id ?? '').length > 256))
    return [63013, 'A button is too long for an unapproved Content.'];
  if (content.types['twilio/carousel'] || content.types['twilio/call-to-action']) return [63013, 'This Content needs an approval.'];
  return undefined;
}
