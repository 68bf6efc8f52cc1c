import Type from 'typebox';
import { nullable, oneOf, Timestamp, Uuid } from './common.ts';

export const RAW_STATES = ['waiting', 'applied', 'ignored', 'unrouted', 'failed'] as const;

const properties = {
  id: Uuid,
  source: Type.String(),
  sourceChannelId: nullable(Type.String()),
  contentType: Type.String(),
  state: oneOf(RAW_STATES),
  error: nullable(Type.String()),
  attempts: Type.Integer(),
  receivedAt: Timestamp,
  appliedAt: nullable(Timestamp),
};

export const RawEvent = Type.Object(properties, { title: 'RawEvent' });
export const RawEventWithBody = Type.Object(
  { ...properties, body: Type.String({ description: 'As text; of a large mail its beginning.' }) },
  { title: 'RawEventWithBody' },
);
