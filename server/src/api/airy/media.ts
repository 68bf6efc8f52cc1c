/** `media.upload`: files of agents, and of visitors with their live-chat token. */
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Engine } from '../../engine/engine.ts';
import { PatchbayError } from '../../model/errors.ts';
import { allows } from '../../model/scopes.ts';
import type { Authenticator } from '../auth.ts';
import { Visitors } from '../live/visitor.ts';
import { operationId } from './routes.ts';
import { ErrorMessage, UploadAnswer } from './schemas.ts';

const UPLOADS_A_MINUTE = 30;

interface Uploader {
  workspaceId: string;
  channelId?: string;
}

/** To be added in a scope that knows the rate limit. */
export function addMediaUpload(scope: FastifyInstance, engine: Engine, auth: Authenticator): void {
  const visitors = new Visitors(engine);
  const uploaders = new WeakMap<FastifyRequest, Uploader>();

  const admit = async (request: FastifyRequest, reply: FastifyReply) => {
    const visitor = await visitors.byToken(request.headers.authorization);
    if (visitor) {
      const channel = await visitors.channelOf(visitor);
      if (!channel || !visitors.allows(channel, request.headers.origin))
        return reply.code(403).send({ message: 'the channel is not there' });
      request.visitor = visitor;
      uploaders.set(request, { workspaceId: visitor.workspaceId, channelId: channel.id });
      return;
    }
    const principal = await auth.identify(request);
    if (!principal) return reply.code(403).send({ message: 'the API key or token is missing or wrong' });
    if (!allows(principal.scopes, 'messages:write')) return reply.code(403).send({ message: 'the API key lacks the scope messages:write' });
    request.principal = principal;
    uploaders.set(request, { workspaceId: principal.workspaceId });
  };

  for (const name of ['media.upload', 'media.uploadFile']) {
    scope.post(
      `/${name}`,
      {
        schema: {
          tags: ['Airy'],
          operationId: operationId(name),
          summary: 'Upload a file (multipart, field `file`); gives its address',
          consumes: ['multipart/form-data'],
          hide: name !== 'media.upload',
          response: { 200: UploadAnswer, '4xx': ErrorMessage },
        },
        onRequest: admit,
        config: {
          rateLimit: {
            max: UPLOADS_A_MINUTE,
            timeWindow: 60_000,
            hook: 'preHandler',
            // Only visitors are slowed down: keys are held by people whom somebody trusts.
            allowList: (request: FastifyRequest) => request.visitor === undefined,
            keyGenerator: (request: FastifyRequest) => request.visitor?.conversationId ?? request.ip,
            errorResponseBuilder: () => new PatchbayError('rate-limited', 'too many files; try again in a minute'),
          },
        },
      },
      async (request, reply) => {
        const uploader = uploaders.get(request)!;
        if (!request.isMultipart())
          throw new PatchbayError('invalid', 'Media Upload failed with error: the body must be multipart/form-data');
        const file = await read(() => request.file());
        if (!file) throw new PatchbayError('invalid', 'Media Upload failed with error: there is no field file');
        const data = await read(() => file.toBuffer());
        if (!file.filename) return reply.code(422).send({ message: 'Request is missing original file name' });
        const stored = await store(engine, uploader, file, data);
        return { media_url: engine.media.signedUrl(uploader.workspaceId, stored.id) };
      },
    );
  }
}

/** What is wrong with a multipart body is the caller's mistake, and said as one. */
async function read<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, statusCode } = error as { code?: string; statusCode?: number };
    if (code === 'FST_REQ_FILE_TOO_LARGE' || statusCode === 413) throw new PatchbayError('too-large', 'the file is too large');
    throw new PatchbayError('invalid', `Media Upload failed with error: ${(error as Error).message}`, { cause: error });
  }
}

async function store(engine: Engine, uploader: Uploader, file: MultipartFile, data: Buffer) {
  const { workspaceId, channelId } = uploader;
  try {
    return await engine.media.upload(workspaceId, data, { filename: file.filename, ...(channelId ? { channelId } : {}) });
  } catch (error) {
    if (error instanceof PatchbayError && error.code === 'invalid') {
      throw new PatchbayError('invalid', `Media Upload failed with error: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
