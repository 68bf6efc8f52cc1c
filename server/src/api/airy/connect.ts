/** Airy's words for what each source needs to connect, and the connector's. One table for all sources. */
import type { Candidate } from '../../connectors/connector.ts';

interface ConnectFields {
  /** Airy's field → the connector's input. */
  fields: Record<string, string>;
  /** The account has no name of its own that could stand in. */
  nameRequired: boolean;
}

const TWILIO: ConnectFields = { fields: { phone_number: 'phone_number' }, nameRequired: true };

const CONNECT: Record<string, ConnectFields> = {
  chatplugin: { fields: { name: 'name', allowed_origins: 'allowed_origins', config: 'config' }, nameRequired: true },
  facebook: { fields: { page_id: 'page_id', page_token: 'page_token' }, nameRequired: false },
  instagram: { fields: { page_id: 'page_id', account_id: 'account_id', page_token: 'page_token' }, nameRequired: false },
  whatsapp: { fields: { phone_number_id: 'phone_number_id', user_token: 'user_token' }, nameRequired: true },
  google: { fields: { gbm_id: 'gbm_id' }, nameRequired: true },
  'twilio.sms': TWILIO,
  'twilio.whatsapp': TWILIO,
};

/** Every source that an Airy client may ask to disconnect, whether or not its connector is here. */
export const AIRY_SOURCES = [...Object.keys(CONNECT), 'viber'];

/** What is asked of the connector. Sources that Airy never had take their connector's own fields. */
export function connectInput(
  source: string,
  body: Record<string, unknown>,
): { input: Record<string, unknown>; missing: string | undefined } {
  const known = CONNECT[source];
  if (!known) return { input: body, missing: undefined };
  const required = Object.keys(known.fields).filter((field) => !OPTIONAL.has(field));
  const missing = [...required, ...(known.nameRequired ? ['name'] : [])].find((field) => body[field] === undefined || body[field] === '');
  const input = Object.fromEntries(
    Object.entries(known.fields).flatMap(([field, name]) => (body[field] === undefined ? [] : [[name, body[field]]])),
  );
  return { input, missing };
}

const OPTIONAL = new Set(['allowed_origins', 'config']);

/** An account that could be connected, as Airy lists it: its id under the name that `connect` wants. */
export function candidateView(source: string, candidate: Candidate & { connected: boolean }) {
  const idField = Object.keys(CONNECT[source]?.fields ?? {})[0] ?? 'source_channel_id';
  return {
    [idField]: candidate.input?.[idField] ?? candidate.sourceChannelId,
    name: candidate.name,
    ...(candidate.imageUrl ? { image_url: candidate.imageUrl } : {}),
    connected: candidate.connected,
  };
}
