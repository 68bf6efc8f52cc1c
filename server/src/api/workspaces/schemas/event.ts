import Type, { type Static } from 'typebox';
import { EVENT_TYPES } from '../../../model/event.ts';
import { FreeForm, nullable, oneOf, Timestamp, Uuid } from './common.ts';

export const Event = Type.Object(
  {
    seq: Type.Integer({ description: 'Grows by one with every event of the workspace, in commit order.' }),
    type: oneOf(EVENT_TYPES),
    channelId: nullable(Uuid),
    conversationId: nullable(Uuid),
    contactId: nullable(Uuid),
    messageId: nullable(Uuid),
    data: FreeForm,
    createdAt: Timestamp,
  },
  { title: 'Event' },
);
export type Event = Static<typeof Event>;
