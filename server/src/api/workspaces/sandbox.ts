/** The simulated customer, for demos and tests: writes when told to, and answers agents. */
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import type { CustomerMessage } from '../../engine/sandbox-customer.ts';
import { simulateCustomer } from '../../engine/sandbox-customers.ts';
import type { Content } from '../../model/content.ts';
import type { ChannelRow } from '../../store/channels.ts';
import { channelFor } from './access.ts';
import { ids, NoContent, oneOf, Uuid } from './schemas/common.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Sandbox'];

const WrittenMessage = Type.Object(
  {
    channelId: Uuid,
    customer: Type.String({ minLength: 1, maxLength: 200, description: 'Any word that tells this customer from others.' }),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    message: Type.Object(
      {
        id: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'The same one again changes nothing.' })),
        text: Type.Optional(Type.String({ minLength: 1, maxLength: 20_000 })),
        attachment: Type.Optional(
          Type.Object(
            {
              type: oneOf(['image', 'video', 'audio', 'file']),
              url: Type.String({ pattern: '^https?://', maxLength: 4000 }),
              name: Type.Optional(Type.String({ maxLength: 400 })),
            },
            { additionalProperties: false },
          ),
        ),
      },
      { additionalProperties: false, minProperties: 1 },
    ),
  },
  {
    additionalProperties: false,
    examples: [{ channelId: '018f6b1e-7c1a-7d20-9c3b-5a4f1f0e9a11', customer: 'ann', message: { text: 'Is anybody there?' } }],
  },
);

const Script = Type.Object(
  {
    replies: Type.Array(Type.String({ minLength: 1, maxLength: 20_000 }), {
      maxItems: 200,
      description: 'One for each message of an agent, in this order; then silence. Empty: never answers.',
    }),
    delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 600_000 })),
  },
  { additionalProperties: false, examples: [{ replies: ['Thanks!', 'Bye.'], delayMs: 500 }] },
);

export function sandboxRoutes(app: Routes, { engine }: SurfaceParts): void {
  app.post(
    '/sandbox/customers/messages',
    {
      config: { scope: 'messages:write' },
      schema: {
        tags,
        operationId: 'writeAsCustomer',
        summary: 'A simulated customer writes on a sandbox channel',
        params: ids(),
        body: WrittenMessage,
        response: { 202: Type.Object({ platformReference: Type.String() }) },
      },
    },
    async (request, reply) => {
      const { channelId, customer, name, message } = request.body;
      const channel = await channelFor(engine, request.principal, channelId);
      const platformReference = await write(engine, channel, { customer, ...(name ? { name } : {}), ...message });
      return reply.code(202).send({ platformReference });
    },
  );
  app.post(
    '/sandbox/channels/:channelId/script',
    {
      config: { scope: 'messages:write' },
      schema: {
        tags,
        operationId: 'setSandboxScript',
        summary: "What a sandbox channel's customers answer",
        params: ids('channelId'),
        body: Script,
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      const channel = await channelFor(engine, request.principal, request.params.channelId);
      await engine.sandboxCustomers.setScript(channel, request.body);
      return reply.code(204).send(null);
    },
  );
}

/** Our own widget's customers speak its language; those of all other sources speak through the stand-in of their provider. */
async function write(engine: Engine, channel: ChannelRow, given: CustomerMessage): Promise<string> {
  if (channel.source === 'chatplugin') return engine.sandboxCustomers.write(channel, given);
  const { customer: from, name, text, attachment } = given;
  const id = attachment && engine.media.idOf(channel.workspaceId, attachment.url);
  const message: Content = attachment
    ? {
        type: attachment.type,
        media: { ...(id ? { id } : { url: attachment.url }), ...(attachment.name ? { filename: attachment.name } : {}) },
        ...(text ? { caption: text } : {}),
      }
    : { type: 'text', text: text ?? '' };
  const { providerId } = await simulateCustomer(engine, channel, { from, ...(name ? { name } : {}), message });
  return providerId;
}
