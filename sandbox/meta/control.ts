/** The strings behind the scenes, for tests and demos over HTTP: faults, customers, what was sent. */
import type { FastifyInstance } from 'fastify';
import type { Sandbox } from './index.ts';

type Body = Record<string, any>;

export function controlRoutes(sandbox: Sandbox) {
  return async (app: FastifyInstance): Promise<void> => {
    app.get('/_control/sent', async () => ({ data: sandbox.state.sent }));

    app.post('/_control/faults', async (request) => Object.assign(sandbox.faults, request.body));

    app.post('/_control/release', async () => {
      sandbox.webhooks.release();
      return { success: true };
    });

    app.post('/_control/webhook', async (request) => {
      sandbox.pointTo((request.body as Body).url);
      return { success: true };
    });

    /** `{number, phone, name?, text}` or `{account, id?, text}`; `message` instead of `text` is any message object. */
    app.post('/_control/customer', async (request, reply) => {
      const body = request.body as Body;
      const message =
        body.message ?? (body.number ? { type: 'text', text: { body: String(body.text ?? '') } } : { text: String(body.text ?? '') });
      if (body.number) return { id: sandbox.whatsappCustomer(String(body.number), body).write(message) };
      if (!sandbox.state.page(String(body.account)))
        return reply.status(404).send({ message: `No page or Instagram account ${body.account}` });
      const customer = sandbox.pageCustomer(String(body.account), body.id);
      return { id: customer.write(message), customer: customer.id };
    });
  };
}
