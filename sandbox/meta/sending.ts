/** Takes messages from numbers and pages, and tells afterwards what became of them. */
import { randomUUID } from 'node:crypto';
import { pageWebhook, whatsappWebhook } from './customer.ts';
import { type GraphError, missing, unknownObject } from './errors.ts';
import type { Sandbox } from './index.ts';
import { checkPageMessage } from './page-messages.ts';
import { type Page, type PhoneNumber, type Waba, wamid } from './state.ts';
import { checkMessage, windowClosed, windowIsOpen } from './whatsapp-messages.ts';

type Body = Record<string, any>;

/** `POST /{phone-number-id}/messages`: sends, or marks as read where `status` says so. */
export function sendFromNumber(sandbox: Sandbox, { number, waba }: { number: PhoneNumber; waba: Waba }, body: Body): unknown {
  const { state, faults, throttle } = sandbox;
  if (body.status === 'read') {
    if (body.messaging_product !== 'whatsapp') throw missing('messaging_product');
    if (!state.received.has(body.message_id)) throw unknownObject(String(body.message_id));
    return { success: true };
  }
  const { type, recipient, byUserId } = checkMessage(body, state, waba.templates);
  const now = sandbox.now();
  throttle.take(number.id, number.throughput.level, recipient, now);
  const closed = faults.windowRefusal !== 'never' && type !== 'template' && !windowIsOpen(state, number.id, recipient, now);
  if (closed && faults.windowRefusal === 'answer') throw windowClosed();
  const id = wamid();
  state.remember({ id, from: number.id, to: recipient, body, at: now });
  queueMicrotask(() => tellStatuses(sandbox, number.id, { id, recipient, byUserId, type, body }, closed ? windowClosed() : undefined));
  return {
    messaging_product: 'whatsapp',
    contacts: [byUserId ? { input: recipient, user_id: recipient } : { input: String(body.to), wa_id: recipient }],
    messages: [{ id, ...(type === 'template' ? { message_status: 'accepted' } : {}) }],
  };
}

interface Sent {
  id: string;
  recipient: string;
  byUserId: boolean;
  type: string;
  body: Body;
}

function tellStatuses(sandbox: Sandbox, number: string, sent: Sent, failure: GraphError | undefined): void {
  const timestamp = String(Math.floor(sandbox.now() / 1000));
  const ours = sent.body.biz_opaque_callback_data;
  const base = {
    id: sent.id,
    timestamp,
    ...(sent.byUserId ? { recipient_user_id: sent.recipient } : { recipient_id: sent.recipient }),
    ...(ours === undefined ? {} : { biz_opaque_callback_data: ours }),
  };
  const tell = (status: Body) =>
    sandbox.webhooks.emit(whatsappWebhook(sandbox.state, number, 'messages', { statuses: [{ ...base, ...status }] }));
  if (failure) {
    const { code, message, details } = failure;
    tell({ status: 'failed', errors: [{ code, title: message, message, error_data: { details } }] });
    return;
  }
  const category = sent.type === 'template' ? 'utility' : 'service';
  for (const status of sandbox.faults.statuses) {
    const priced =
      status === 'read' ? {} : { pricing: { billable: sent.type === 'template', pricing_model: 'PMP', category, type: 'regular' } };
    tell({ status, ...priced });
  }
}

/** `POST /{page-id}/messages`: sends, or shows that somebody types, has seen, or reacts. */
export function sendFromPage(sandbox: Sandbox, page: Page, body: Body): unknown {
  const { state } = sandbox;
  const now = sandbox.now();
  const { account, recipient } = checkPageMessage(body, page, state, now);
  if (body.sender_action !== undefined) return { recipient_id: recipient };
  const id = `m_${randomUUID()}`;
  state.remember({ id, from: account, to: recipient, body, at: now });
  queueMicrotask(() => tellPage(sandbox, page, account, { id, recipient, message: body.message }));
  return { recipient_id: recipient, message_id: id };
}

/** The echo of what was sent, then delivery and reading; Instagram tells no delivery, and the message that was seen. */
function tellPage(sandbox: Sandbox, page: Page, account: string, sent: { id: string; recipient: string; message: Body }): void {
  const now = sandbox.now();
  const instagram = account === page.instagram?.id;
  const tell = (item: Body) => sandbox.webhooks.emit(pageWebhook(page, account, [{ timestamp: now, ...item }], now));
  const { attachment, ...words } = sent.message;
  const attachments = attachment ? { attachments: [attachment] } : {};
  const mark = instagram ? {} : { app_id: Number(sandbox.state.app.id) };
  const from = { sender: { id: account }, recipient: { id: sent.recipient } };
  const back = { sender: { id: sent.recipient }, recipient: { id: account } };
  tell({ ...from, message: { mid: sent.id, is_echo: true, ...mark, ...words, ...attachments } });
  if (!instagram && sandbox.faults.statuses.includes('delivered')) tell({ ...back, delivery: { mids: [sent.id], watermark: now } });
  if (sandbox.faults.statuses.includes('read')) tell({ ...back, read: instagram ? { mid: sent.id } : { watermark: now } });
}
