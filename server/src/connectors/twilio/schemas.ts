import Type, { type Static } from 'typebox';

const accountSid = Type.Optional(
  Type.String({
    pattern: '^AC[0-9A-Za-z]+$|^$',
    title: 'Account SID',
    description: 'Empty: the installation’s TWILIO_ACCOUNT_SID',
    examples: ['ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
  }),
);
const authToken = Type.Optional(
  Type.String({ title: 'Auth token', description: 'Empty: the installation’s TWILIO_AUTH_TOKEN', secret: true }),
);
const messagingServiceSid = Type.Optional(
  Type.String({
    pattern: '^MG[0-9A-Za-z]+$|^$',
    title: 'Messaging service SID',
    description: 'Sends through this service; needed for messages that Twilio sends later',
    editable: true,
  }),
);

export const Input = Type.Object({
  phone_number: Type.String({
    title: 'Phone number',
    description: 'As in the Twilio console, with country code and without spaces',
    examples: ['+491234567'],
  }),
  account_sid: accountSid,
  auth_token: authToken,
  messaging_service_sid: messagingServiceSid,
});
export type Input = Static<typeof Input>;

export const Settings = Type.Object({
  phone_number: Type.String({ title: 'Phone number' }),
  messaging_service_sid: messagingServiceSid,
});
export type Settings = Static<typeof Settings>;

export const Credentials = Type.Object({ account_sid: accountSid, auth_token: authToken });
export type Credentials = Static<typeof Credentials>;
