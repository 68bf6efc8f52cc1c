/** Connecting and changing channels, with the fields named as the caller wrote them. */
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { Engine } from '../../engine/engine.ts';
import { reconnect, switchOn } from '../../engine/reconnect.ts';
import { isConnected } from '../../model/channel.ts';
import { type FieldProblem, invalid, PatchbayError } from '../../model/errors.ts';
import type { ChannelChange, ChannelRow } from '../../store/channels.ts';
import type { Principal } from '../auth.ts';
import { OPTIONS_KEY, optionsOf } from './channel-view.ts';
import type { ChangeBody, ConnectBody } from './channels.ts';
import { sourceOf } from './platforms.ts';
import { ChannelOptions } from './schemas/channel.ts';

/** Throws as `Channels.connect` does; an account that is connected already is a conflict. */
export async function connectChannel(engine: Engine, principal: Principal, body: Static<typeof ConnectBody>): Promise<ChannelRow> {
  const wanted = body.source ?? body.platformId;
  if (!wanted) throw invalid('source', 'is required');
  const source = sourceOf(wanted, engine.registry.connectors);
  const options = optionsIn(body);
  const { name, imageUrl, metadata } = body;
  const row = await prefixInput(() =>
    engine.channels.connect({
      workspaceId: principal.workspaceId,
      source,
      input: body.input ?? {},
      ...(name ? { name } : {}),
      ...(imageUrl ? { imageUrl } : {}),
      ...(metadata ? { metadata } : {}),
      sandbox: principal.sandbox,
      existing: 'refuse',
    }),
  );
  if (!options) return row;
  return engine.channels.change(row.workspaceId, row.id, { settings: { [OPTIONS_KEY]: { ...optionsOf(row), ...options } } });
}

/** Changes what the body names. Switching off tells the provider; switching on asks it again. */
export async function changeChannel(engine: Engine, row: ChannelRow, body: Static<typeof ChangeBody>): Promise<ChannelRow> {
  const { name, imageUrl, metadata, status } = body;
  const options = optionsIn(body, row);
  const change: ChannelChange = {
    ...(name === undefined ? {} : { name }),
    ...(imageUrl === undefined ? {} : { imageUrl }),
    ...(metadata === undefined ? {} : { metadata }),
  };
  const settings = {
    ...(body.settings ? checkedSettings(engine, row, body.settings) : {}),
    ...(options ? { [OPTIONS_KEY]: { ...optionsOf(row), ...options } } : {}),
  };
  if (Object.keys(settings).length > 0) change.settings = settings;
  let current = row;
  if (body.input || body.credentials) current = await prefixInput(() => reconnect(engine, row, { ...body.credentials, ...body.input }));
  else if (status === 'active' && !isConnected(row.status)) current = await prefixInput(() => switchOn(engine, row));
  if (status === 'inactive') current = await engine.channels.disconnect(row.workspaceId, row.id);
  return Object.keys(change).length > 0 ? engine.channels.change(row.workspaceId, row.id, change) : current;
}

function checkedSettings(engine: Engine, row: ChannelRow, settings: Record<string, unknown>): Record<string, unknown> {
  const schemas = engine.channels.connectorOf(row.source).settings.properties as Record<string, TSchema & { editable?: boolean }>;
  const problems: FieldProblem[] = [];
  for (const [key, value] of Object.entries(settings)) {
    const field = `settings.${key}`;
    const schema = Object.hasOwn(schemas, key) ? schemas[key] : undefined;
    if (!schema) problems.push({ field, message: 'is no setting of this source' });
    else if (!schema.editable) problems.push({ field, message: 'cannot be changed: connect the account again' });
    else {
      for (const error of Value.Errors(schema, value)) {
        problems.push({ field: field + error.instancePath.replaceAll('/', '.'), message: error.message });
      }
    }
  }
  if (problems.length > 0) throw new PatchbayError('invalid', `${problems[0]!.field} ${problems[0]!.message}`, { problems });
  return settings;
}

/** What a body says of the document's options; undefined when it says nothing. `http` needs the address to be null (B21). */
function optionsIn(body: Partial<ChannelOptions>, row?: ChannelRow): Partial<ChannelOptions> | undefined {
  const names = Object.keys(ChannelOptions.properties) as (keyof ChannelOptions)[];
  const given = Object.fromEntries(names.filter((name) => body[name] !== undefined).map((name) => [name, body[name]]));
  if (Object.keys(given).length === 0) return undefined;
  const whole = { ...(row ? optionsOf(row) : {}), ...given } as Partial<ChannelOptions>;
  if (whole.platformServiceProtocolOverride === 'http' && whole.platformServiceUrlOverride) {
    throw invalid('platformServiceProtocolOverride', 'http is allowed only without platformServiceUrlOverride');
  }
  return given as Partial<ChannelOptions>;
}

/** A connector names its own fields; the caller wrote them below `input`. */
export async function prefixInput<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PatchbayError) || error.code !== 'invalid') throw error;
    const problems = error.problems.map((problem) => ({
      ...problem,
      field: problem.field === 'source' || problem.field === 'input' ? problem.field : `input.${problem.field}`,
    }));
    const [was, is] = [error.problems[0]?.field, problems[0]?.field];
    const message = was && is && error.message.startsWith(`${was} `) ? is + error.message.slice(was.length) : error.message;
    throw new PatchbayError('invalid', message, { problems, details: error.details, cause: error });
  }
}
