/** The shape of a connected WhatsApp number: what its connect takes, what is shown and what is kept secret. */
import Type, { type Static } from 'typebox';
import { PatchbayError } from '../../../model/errors.ts';
import type { ChannelView, ConnectorContext } from '../../connector.ts';
import { type Graph, graph } from '../graph.ts';
import { text } from '../values.ts';

const secret = { secret: true };

const graphVersion = { title: 'Graph API version', pattern: '^v\\d+\\.\\d+$', examples: ['v25.0'] };

/** A number is named by its id at Meta, or by the number itself and the account that it belongs to. */
export const input = Type.Object({
  user_token: Type.Optional(
    Type.String({
      ...secret,
      title: 'Access token',
      description: 'A system user’s token with whatsapp_business_messaging and whatsapp_business_management',
      help: 'Business settings → Users → System users → Generate new token',
    }),
  ),
  business_account_id: Type.Optional(
    Type.String({
      title: 'WhatsApp business account ID',
      description: 'Needed for templates',
      examples: ['102290129340398'],
      help: 'App dashboard → WhatsApp → API setup',
    }),
  ),
  phone_number_id: Type.Optional(
    Type.String({
      title: 'Phone number ID',
      description: 'Or give the phone number itself',
      examples: ['106540352242922'],
      help: 'App dashboard → WhatsApp → API setup',
    }),
  ),
  phone_number: Type.Optional(Type.String({ title: 'Phone number', description: 'Instead of its ID', examples: ['+33612345678'] })),
  pin: Type.Optional(
    Type.String({
      ...secret,
      title: 'Two-step PIN',
      description: 'Only to register a number that is new to the Cloud API',
      pattern: '^\\d{6}$',
    }),
  ),
  api_key: Type.Optional(Type.String({ ...secret, hidden: true, description: 'The same as user_token' })),
  access_token: Type.Optional(Type.String({ ...secret, hidden: true, description: 'The same as user_token' })),
  waba_id: Type.Optional(Type.String({ hidden: true, description: 'The same as business_account_id' })),
  graph_version: Type.Optional(Type.String({ ...graphVersion, hidden: true })),
});

export const settings = Type.Object({
  phone_number_id: Type.String({ title: 'Phone number ID' }),
  waba_id: Type.Optional(Type.String({ title: 'WhatsApp business account ID', editable: true })),
  graph_version: Type.Optional(Type.String({ ...graphVersion, editable: true })),
});

export const credentials = Type.Object({ access_token: Type.String({ ...secret, title: 'Access token' }) });

export type Input = Static<typeof input>;
export type Settings = Static<typeof settings>;
export type Credentials = Static<typeof credentials>;
export type Channel = ChannelView<Settings, Credentials>;

/** The Graph client of a connected number. */
export function graphOf(channel: Channel, context: ConnectorContext): Graph {
  return graph(context, { token: channel.credentials.access_token, version: channel.settings.graph_version });
}

/** The business account's id, where it is known. */
export function wabaOf(channel: { settings: Partial<Settings>; details: Record<string, unknown> }): string | undefined {
  return text(channel.settings.waba_id) ?? text(channel.details.waba_id);
}

/** The business account's id; an error that says how to give it where it is not known. */
export function requireWaba(channel: Channel): string {
  const waba = wabaOf(channel);
  if (waba) return waba;
  throw new PatchbayError(
    'invalid',
    'The WhatsApp business account of this number is not known, so its templates cannot be reached. Connect it again with business_account_id.',
    { problems: [{ field: 'business_account_id', message: 'is needed for templates' }] },
  );
}
