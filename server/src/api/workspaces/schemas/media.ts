import Type from 'typebox';
import { nullable, Uuid } from './common.ts';

export const Media = Type.Object(
  {
    id: Uuid,
    mediaUrl: Type.String({ description: 'For `mediaUrl` in messages; whoever has it may fetch the file.' }),
    mimeType: Type.String(),
    size: Type.Integer(),
    filename: nullable(Type.String()),
  },
  { title: 'Media' },
);

export const PresignedUpload = Type.Object(
  {
    mediaUrl: Type.String(),
    uploadUrl: Type.String(),
    uploadMethod: Type.String({ examples: ['POST'] }),
    uploadFormData: Type.Record(Type.String(), Type.String()),
  },
  { title: 'PresignedUpload' },
);
