/** `channels.*`: documents 001 and 004. */
import Type from 'typebox';
import { notFound, PatchbayError } from '../../model/errors.ts';
import { isUuid } from '../../model/ids.ts';
import type { ChannelRow } from '../../store/channels.ts';
import { AIRY_SOURCES, candidateView, connectInput } from './connect.ts';
import { type Airy, EMPTY, Id, Name } from './routes.ts';
import { CandidateAnswer, ChannelAnswer, listAnswer, Nothing } from './schemas.ts';
import { channelView } from './views.ts';

const ImageUrl = Type.Optional(Type.String({ maxLength: 4000 }));

export function addChannels(airy: Airy): void {
  const { engine } = airy;

  airy.post(
    'channels.list',
    {
      needs: 'channels:read',
      answer: listAnswer(ChannelAnswer),
      summary: 'List channels, disconnected ones too',
      body: Type.Object({ source: Type.Optional(Type.String({ maxLength: 200 })) }),
    },
    async ({ body, workspaceId, principal }) => {
      const source = body.source && sourceOf(body.source);
      const known = source && engine.registry.connector(source) ? { sources: [source] } : {};
      const channels = await engine.channels.list(workspaceId, { ...known, ...(principal.sandbox ? { sandbox: true } : {}) });
      const views = channels.map(channelView);
      return { data: source && !known.sources ? views.filter((view) => view.source === source) : views };
    },
  );

  airy.post(
    'channels.info',
    { needs: 'channels:read', answer: ChannelAnswer, summary: 'Show one channel', body: Type.Object({ channel_id: Id }) },
    async ({ body, workspaceId }) => channelView(await existing(airy, workspaceId, body.channel_id)),
  );

  airy.post(
    'channels.update',
    {
      needs: 'channels:write',
      answer: ChannelAnswer,
      summary: "Change a channel's name or picture",
      body: Type.Object({ channel_id: Id, name: Type.Optional(Name), image_url: ImageUrl }),
    },
    async ({ body, workspaceId }) => {
      await existing(airy, workspaceId, body.channel_id);
      const changed = await engine.channels.change(workspaceId, body.channel_id, {
        ...(body.name === undefined ? {} : { name: body.name }),
        ...(body.image_url === undefined ? {} : { imageUrl: body.image_url || null }),
      });
      return channelView(changed);
    },
  );

  for (const { source, title, explore } of engine.registry.connectors) {
    airy.post(
      namesOf(source, 'connect'),
      {
        needs: 'channels:write',
        summary: `Connect ${title}; the same account again gives the same channel`,
        answer: ChannelAnswer,
        body: Type.Object({ name: Type.Optional(Name), image_url: ImageUrl }, { additionalProperties: true }),
      },
      async ({ body, workspaceId, principal }) => {
        const { input, missing } = connectInput(source, body);
        if (missing) throw new PatchbayError('invalid', `${missing} is required`);
        const channel = await engine.channels.connect({
          workspaceId,
          source,
          input,
          ...(body.name === undefined ? {} : { name: body.name }),
          ...(body.image_url ? { imageUrl: body.image_url } : {}),
          sandbox: principal.sandbox,
          existing: 'reuse',
        });
        return channelView(channel);
      },
    );
    if (!explore) continue;
    airy.post(
      [`channels.${source}.explore`, `${source}.channels.explore`],
      {
        needs: 'channels:write',
        summary: `List the accounts of ${title} that could be connected`,
        answer: listAnswer(CandidateAnswer),
        body: Type.Object(
          { auth_token: Type.Optional(Type.String()), token: Type.Optional(Type.String()) },
          { additionalProperties: true },
        ),
      },
      async ({ body, workspaceId, principal }) => {
        const token = body.auth_token ?? body.token;
        if (!token) throw new PatchbayError('invalid', 'auth_token is required');
        const candidates = await engine.channels.explore(workspaceId, source, { ...body, auth_token: token }, principal.sandbox);
        return { data: candidates.map((candidate) => candidateView(source, candidate)) };
      },
    );
  }

  for (const source of AIRY_SOURCES.filter((name) => !engine.registry.connector(name))) {
    airy.post(
      `channels.${source}.connect`,
      { answer: Nothing, needs: 'channels:write', summary: `Connect ${source}: Patchbay has no such source` },
      async () => {
        throw new PatchbayError('not-supported', `Patchbay has no source ${source}`);
      },
    );
  }

  const sources = new Set([...AIRY_SOURCES, ...engine.registry.connectors.map((connector) => connector.source)]);
  for (const source of sources) {
    airy.post(
      namesOf(source, 'disconnect'),
      {
        needs: 'channels:write',
        summary: 'Disconnect a channel, whatever its source; its history stays',
        answer: EMPTY,
        status: 202,
        body: Type.Object({ channel_id: Type.Optional(Type.String()) }),
      },
      async ({ body, workspaceId, reply }) => {
        const channel = await known(airy, workspaceId, body.channel_id);
        await engine.channels.disconnect(workspaceId, channel.id);
        return reply.code(202).send({});
      },
    );
  }
}

/** The document's answer for an unknown channel here is 400. */
async function known(airy: Airy, workspaceId: string, id: string | undefined): Promise<ChannelRow> {
  const unknown = () => new PatchbayError('invalid', `there is no channel ${id}`);
  if (id === undefined) throw new PatchbayError('invalid', 'channel_id is required');
  if (!isUuid(id)) throw unknown();
  return existing(airy, workspaceId, id).catch((error: unknown) => {
    throw error instanceof PatchbayError && error.code === 'not-found' ? unknown() : error;
  });
}

async function existing(airy: Airy, workspaceId: string, id: string): Promise<ChannelRow> {
  const channel = await airy.engine.channels.get(workspaceId, id);
  if (channel.status === 'deleted') throw notFound('channel');
  return channel;
}

/** An older document's word for a source. */
const OLD_NAMES: Record<string, string> = { chatplugin: 'chat_plugin' };

function sourceOf(name: string): string {
  return Object.keys(OLD_NAMES).find((source) => OLD_NAMES[source] === name) ?? name;
}

function namesOf(source: string, verb: string): string[] {
  return [source, OLD_NAMES[source] ?? []].flat().map((name) => `channels.${name}.${verb}`);
}
