/** Files for messages: uploaded in one go, or to an address that was asked for before (as Bird's clients do). */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import type { StoredFile } from '../../engine/media.ts';
import { invalid, notFound, PatchbayError } from '../../model/errors.ts';
import { isUuid, uuidv7 } from '../../model/ids.ts';
import { fetchMediaAgain, getMedia } from '../../store/media.ts';
import { messageFor } from './access.ts';
import { answerError } from './errors.ts';
import { ids } from './schemas/common.ts';
import { Media, PresignedUpload } from './schemas/media.ts';
import type { Routes, SurfaceParts } from './surface.ts';

const tags = ['Media'];
const UPLOAD_MS = 15 * 60 * 1000;

export function mediaRoutes(app: Routes, { engine }: SurfaceParts): void {
  app.post(
    '/media',
    {
      config: { scope: 'messages:write' },
      schema: {
        tags,
        operationId: 'uploadMedia',
        summary: 'Upload a file (multipart, field `file`)',
        consumes: ['multipart/form-data'],
        params: ids(),
        response: { 201: Media },
      },
    },
    async (request, reply) => {
      const { workspaceId } = request.principal;
      const { data, filename } = await fileOf(request);
      const stored = await engine.media.upload(workspaceId, data, { filename });
      return reply.code(201).send(show(engine, workspaceId, stored));
    },
  );
  app.post(
    '/media/:mediaId/fetch',
    {
      config: { scope: 'messages:write' },
      schema: {
        tags,
        operationId: 'fetchMedia',
        summary: 'Fetch a file of a received message again that could not be fetched',
        description: 'Done in the background; the event `media.updated` tells how it ended.',
        params: ids('mediaId'),
        response: { 202: Type.Object({ id: Type.String(), state: Type.Literal('waiting') }) },
      },
    },
    async ({ principal, params }, reply) => {
      const { workspaceId } = principal;
      const file = await getMedia(engine.database, workspaceId, params.mediaId);
      if (!file?.messageId) throw notFound('file of a message');
      await messageFor(engine, principal, file.messageId);
      if (!(await fetchMediaAgain(engine.database, workspaceId, file.id))) throw new PatchbayError('conflict', 'the file is here already');
      return reply.code(202).send({ id: file.id, state: 'waiting' as const });
    },
  );
  app.post(
    '/channel-media/presigned-upload',
    {
      config: { scope: 'messages:write' },
      schema: {
        tags,
        operationId: 'presignUpload',
        summary: 'An address to upload a file to; it needs no key',
        description: 'Send `uploadFormData` and then the file as `file`, as multipart/form-data, within 15 minutes.',
        params: ids(),
        body: Type.Object(
          { contentType: Type.String({ minLength: 3, maxLength: 200, pattern: '^[^/]+/[^/]+$' }) },
          { additionalProperties: false },
        ),
        response: { 201: PresignedUpload },
      },
    },
    async (request, reply) => {
      const { workspaceId } = request.principal;
      const id = uuidv7();
      const expires = String(Date.now() + UPLOAD_MS);
      return reply.code(201).send({
        mediaUrl: engine.media.signedUrl(workspaceId, id),
        uploadUrl: `${engine.config.publicUrl}/media/${workspaceId}/${id}`,
        uploadMethod: 'POST',
        uploadFormData: { 'Content-Type': request.body.contentType, expires, signature: sign(engine, workspaceId, id, expires) },
      });
    },
  );
}

/** Where the files of presigned uploads arrive: what counts is the signature, not a key. */
export function registerUploads(app: FastifyInstance, engine: Engine): void {
  app.post<{ Params: { workspaceId: string; id: string } }>(
    '/media/:workspaceId/:id',
    { schema: { hide: true }, errorHandler: answerError },
    async (request, reply) => {
      const { workspaceId, id } = request.params;
      if (!isUuid(workspaceId) || !isUuid(id)) throw new PatchbayError('not-found', 'upload not found');
      const { data, filename, fields } = await fileOf(request);
      const { expires = '', signature = '' } = fields;
      const expected = Buffer.from(sign(engine, workspaceId, id, expires));
      const given = Buffer.from(signature);
      if (given.length !== expected.length || !timingSafeEqual(given, expected))
        throw new PatchbayError('forbidden', 'the signature is not right');
      if (!(Number(expires) > Date.now())) throw new PatchbayError('forbidden', 'the time for this upload is over: ask for another');
      if (await getMedia(engine.database, workspaceId, id)) throw new PatchbayError('conflict', 'this file was uploaded already');
      await engine.media.upload(workspaceId, data, { filename, id });
      return reply.code(204).send();
    },
  );
}

function sign(engine: Engine, workspaceId: string, id: string, expires: string): string {
  return createHmac('sha256', engine.vault.derive('uploads')).update(`${workspaceId}/${id}/${expires}`).digest('base64url');
}

async function fileOf(request: FastifyRequest): Promise<{ data: Buffer; filename: string; fields: Record<string, string> }> {
  if (!request.isMultipart()) throw invalid('file', 'send it as multipart/form-data');
  const file = await wellFormed(request.file());
  if (!file) throw invalid('file', 'is required');
  const fields: Record<string, string> = {};
  for (const [name, field] of Object.entries(file.fields)) {
    if (field && !Array.isArray(field) && field.type === 'field') fields[name] = String(field.value);
  }
  return { data: await wellFormed(file.toBuffer()), filename: file.filename, fields };
}

/** Whatever is wrong with the parts is the caller's mistake. */
async function wellFormed<T>(reading: Promise<T>): Promise<T> {
  return reading.catch((error: Error & { statusCode?: number }) => {
    throw error.statusCode === undefined ? invalid('file', `cannot be read: ${error.message}`) : error;
  });
}

function show(engine: Engine, workspaceId: string, { id, mimeType, size, filename }: StoredFile) {
  return { id, mediaUrl: engine.media.signedUrl(workspaceId, id), mimeType, size, filename };
}
