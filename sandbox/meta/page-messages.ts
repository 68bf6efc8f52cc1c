/** Is this body one that the Send API takes? developers.facebook.com/docs/messenger-platform/reference/send-api */
import { GraphError, missing } from './errors.ts';
import type { MetaState, Page } from './state.ts';

type Body = Record<string, any>;

const HOUR_MS = 3600 * 1000;
const ACTIONS = ['typing_on', 'typing_off', 'mark_seen', 'react', 'unreact'];
const TAGS = ['HUMAN_AGENT'];

/** Which account of the page the recipient wrote to; throws Meta's error for the first thing that is wrong. */
export function checkPageMessage(body: Body, page: Page, state: MetaState, now: number): { account: string; recipient: string } {
  const recipient = body.recipient?.id;
  if (typeof recipient !== 'string') throw missing('recipient');
  const accounts = [page.id, page.instagram?.id].filter((id) => id !== undefined);
  const account = accounts.find((id) => state.lastInbound.has(`${id} ${recipient}`));
  if (!account) throw new GraphError(400, 100, '(#100) No matching user found', { subcode: 2018001 });
  if (body.sender_action !== undefined) {
    if (!ACTIONS.includes(body.sender_action))
      throw new GraphError(400, 100, `(#100) Param sender_action must be one of {${ACTIONS.join(', ').toUpperCase()}}`);
    if (body.message !== undefined) throw new GraphError(400, 100, '(#100) Cannot include both sender_action and message');
    return { account, recipient };
  }
  if (body.message === null || typeof body.message !== 'object') throw missing('message');
  checkContent(body.message, account === page.instagram?.id);
  const uploaded = body.message.attachment?.payload?.attachment_id;
  if (uploaded !== undefined && !state.media.has(String(uploaded)))
    throw new GraphError(400, 100, '(#100) Invalid attachment id', { subcode: 2018074 });
  checkWindow(body, now - state.lastInbound.get(`${account} ${recipient}`)!);
  return { account, recipient };
}

function checkWindow(body: Body, age: number): void {
  if (body.messaging_type === 'MESSAGE_TAG' && !TAGS.includes(body.tag))
    throw new GraphError(400, 100, '(#100) Param tag is not a supported tag');
  const hours = body.messaging_type === 'MESSAGE_TAG' ? 7 * 24 : 24;
  if (age >= hours * HOUR_MS) throw new GraphError(400, 10, '(#10) This message is sent outside of allowed window.', { subcode: 2018278 });
}

function checkContent(message: Body, instagram: boolean): void {
  if (message.text === undefined && message.attachment === undefined && message.attachments === undefined)
    throw missing('message[text] or message[attachment]');
  if (message.text !== undefined) {
    const tooLong = instagram ? Buffer.byteLength(message.text) > 1000 : message.text.length > 2000;
    if (typeof message.text !== 'string' || message.text === '' || tooLong) {
      throw new GraphError(400, 100, `(#100) Length of param message[text] must be less than or equal to ${instagram ? 1000 : 2000}`);
    }
  }
  if (message.quick_replies !== undefined && (!Array.isArray(message.quick_replies) || message.quick_replies.length > 13))
    throw new GraphError(400, 100, '(#100) Param message[quick_replies] has too many elements');
  const attachment = message.attachment;
  if (attachment === undefined) return;
  if (message.text !== undefined) throw new GraphError(400, 100, '(#100) Must not specify both text and attachment in message');
  if (!['image', 'video', 'audio', 'file', 'template'].includes(attachment.type))
    throw new GraphError(400, 100, '(#100) Param message[attachment][type] is not valid');
  if (attachment.type === 'template') checkTemplate(attachment.payload ?? {});
  else if (!attachment.payload?.url && !attachment.payload?.attachment_id) throw missing('message[attachment][payload][url]');
}

function checkTemplate(payload: Body): void {
  if (payload.template_type !== 'generic') return;
  if (!Array.isArray(payload.elements) || payload.elements.length < 1 || payload.elements.length > 10)
    throw new GraphError(400, 100, '(#100) elements must have 1 to 10 items');
  for (const element of payload.elements) {
    if (typeof element.title !== 'string' || element.title === '' || element.title.length > 80)
      throw new GraphError(400, 100, '(#100) Param title must have 1 to 80 characters');
    if ((element.buttons?.length ?? 0) > 3) throw new GraphError(400, 100, '(#100) An element has at most 3 buttons');
  }
}
