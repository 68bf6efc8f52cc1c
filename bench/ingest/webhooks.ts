/** WhatsApp text webhooks as Meta sends them, signed. */
import { createHmac, randomUUID } from 'node:crypto';

export interface Webhook {
  body: string;
  headers: Record<string, string>;
}

/** Makes `count` webhooks of as many different messages, from `contacts` people in turn: each, or each `every`th. */
export function textWebhooks(
  count: number,
  options: { numberId: string; secret: string; contacts: number; every?: number; together?: number },
): Webhook[] {
  return Array.from({ length: count }, (_, number) => {
    const n = number * (options.every ?? 1);
    const from = String(491_700_000_000 + (n % options.contacts));
    const body = JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [
        {
          id: '102290129340398',
          changes: [
            {
              value: {
                messaging_product: 'whatsapp',
                metadata: { display_phone_number: '15550783881', phone_number_id: options.numberId },
                contacts: [{ profile: { name: `Customer ${n % options.contacts}` }, wa_id: from }],
                messages: Array.from({ length: options.together ?? 1 }, (_, part) => ({
                  from,
                  id: `wamid.${randomUUID()}`,
                  timestamp: String(Math.floor(Date.now() / 1000)),
                  type: 'text',
                  text: { body: `Does it come in another color? I would like to know for order ${n}.${part}` },
                })),
              },
              field: 'messages',
            },
          ],
        },
      ],
    });
    return { body, headers: { 'content-type': 'application/json', 'x-hub-signature-256': signature(body, options.secret) } };
  });
}

function signature(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}
