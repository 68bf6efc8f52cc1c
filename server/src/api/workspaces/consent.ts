/** Access that a person grants in the browser (OAuth): where to send them. The way back is one address for all channels. */
import Type from 'typebox';
import { beginConsent } from '../consent.ts';
import { liveChannelFor } from './access.ts';
import { ids } from './schemas/common.ts';
import type { Routes, SurfaceParts } from './surface.ts';

export function consentRoutes(app: Routes, { engine }: SurfaceParts): void {
  app.post(
    '/channels/:channelId/consent',
    {
      config: { scope: 'channels:write' },
      schema: {
        tags: ['Channels'],
        operationId: 'startConsent',
        summary: "Begin the provider's consent in the browser; answers the address to open",
        params: ids('channelId'),
        response: { 200: Type.Object({ url: Type.String() }) },
      },
    },
    async (request, reply) => {
      const channel = await liveChannelFor(engine, request.principal, request.params.channelId);
      return { url: await beginConsent(engine, request.principal, channel.id, reply) };
    },
  );
}
