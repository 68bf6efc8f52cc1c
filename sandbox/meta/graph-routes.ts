/** The Graph API's paths: `/{version}/{object}/{edge}`. What an object is, its id tells. */
import { hash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { badToken, GraphError, missing, unknownObject } from './errors.ts';
import { isSpared, outage, refusal } from './faults.ts';
import type { Sandbox } from './index.ts';
import { instagramLoginRoutes } from './instagram-login.ts';
import { sendFromNumber, sendFromPage } from './sending.ts';
import type { Page, PhoneNumber, Token } from './state.ts';
import { create, edit, listed, pageOf, remove } from './templates.ts';

type Body = Record<string, any>;
type Query = Record<string, string | undefined>;
interface Params {
  version: string;
  id: string;
}

export function graphRoutes(sandbox: Sandbox) {
  const { state } = sandbox;

  return async (app: FastifyInstance): Promise<void> => {
    app.addHook('preHandler', async (request) => {
      if (sandbox.faults.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, sandbox.faults.delayMs));
      outage(sandbox.faults);
      const { version } = request.params as Partial<Params>;
      if (version !== undefined && !/^v\d+\.\d+$/.test(version)) throw new GraphError(400, 2500, `Unknown path components: /${version}`);
    });

    app.get('/_media/:id', async (request, reply) => {
      tokenOf(sandbox, request);
      const media = state.media.get((request.params as Params).id);
      if (!media) return reply.status(404).send('Media not found');
      return reply.type(media.mimeType).send(media.data);
    });

    app.get('/:version/oauth/access_token', async (request) => {
      const query = request.query as Query;
      if (query.client_id !== state.app.id)
        throw new GraphError(400, 101, 'Error validating application. Cannot get application info due to a system error.');
      if (query.client_secret !== state.app.secret) throw new GraphError(400, 1, 'Error validating client secret.');
      const given = state.tokens.get(query.fb_exchange_token ?? '');
      if (!given?.valid) throw badToken();
      const value = `${given.value}-long`;
      if (!state.tokens.has(value)) state.addToken({ ...given, value, expiresAt: 0 });
      return { access_token: value, token_type: 'bearer', expires_in: 5_183_944 };
    });

    app.get('/:version/debug_token', async (request) => {
      const asked = bearer(request);
      if (asked !== `${state.app.id}|${state.app.secret}`) tokenOf(sandbox, request);
      const input = (request.query as Query).input_token;
      if (!input) throw missing('input_token');
      return { data: debugged(sandbox, state.tokens.get(input)) };
    });

    app.register(instagramLoginRoutes(sandbox));

    app.get('/:version/me/accounts', async (request) => {
      const token = tokenOf(sandbox, request);
      const pages = state.pages.filter((page) => !page.ownLogin && reaches(token, page.id)).map(pageJson);
      return pageOf(pages, request.query as Query, address(request));
    });

    app.get('/:version/:id/subscriptions', async (request) => {
      if (bearer(request) !== `${state.app.id}|${state.app.secret}` || (request.params as Params).id !== state.app.id) throw badToken();
      const { callbackUrl } = state;
      const fields = [{ name: 'messages', version: 'v25.0' }];
      const objects = callbackUrl === undefined ? [] : ['whatsapp_business_account', 'page', 'instagram'];
      return { data: objects.map((object) => ({ object, callback_url: callbackUrl, active: true, fields })) };
    });

    app.get('/:version/:id/phone_numbers', async (request) => {
      const waba = state.waba(allowed(sandbox, request)) ?? unknown(request);
      const query = request.query as Query;
      const numbers = waba.numbers.map((number) => chosen(number, query.fields));
      return pageOf(numbers, query, address(request));
    });

    app.get('/:version/:id/subscribed_apps', async (request) => {
      const id = allowed(sandbox, request);
      const waba = state.waba(id);
      const app = { id: state.app.id, name: 'Sandbox app' };
      if (waba) return { data: waba.subscribed ? [{ whatsapp_business_api_data: app }] : [] };
      const page = state.page(id) ?? unknown(request);
      return { data: page.subscribedFields ? [{ ...app, subscribed_fields: page.subscribedFields }] : [] };
    });

    app.post('/:version/:id/subscribed_apps', async (request) => {
      const id = allowed(sandbox, request);
      const waba = state.waba(id);
      if (waba) waba.subscribed = true;
      else {
        const page = state.page(id) ?? unknown(request);
        const fields = (request.query as Query).subscribed_fields ?? (request.body as Body | undefined)?.subscribed_fields;
        if (!fields) throw missing('subscribed_fields');
        page.subscribedFields = String(fields).split(',');
      }
      return { success: true };
    });

    app.delete('/:version/:id/subscribed_apps', async (request) => {
      const id = allowed(sandbox, request);
      const waba = state.waba(id);
      if (waba) waba.subscribed = false;
      else (state.page(id) ?? unknown(request)).subscribedFields = undefined;
      return { success: true };
    });

    app.get('/:version/:id/message_templates', async (request) => {
      const waba = state.waba(allowed(sandbox, request)) ?? unknown(request);
      const query = request.query as Query;
      return pageOf(listed(waba, query), query, address(request));
    });

    app.post('/:version/:id/message_templates', async (request) => {
      const waba = state.waba(allowed(sandbox, request)) ?? unknown(request);
      const { id, status, category } = create(waba, (request.body ?? {}) as Body);
      return { id, status, category };
    });

    app.delete('/:version/:id/message_templates', async (request) => {
      remove(state.waba(allowed(sandbox, request)) ?? unknown(request), request.query as Query);
      return { success: true };
    });

    app.post('/:version/:id/register', async (request) => {
      const found = state.number(allowed(sandbox, request)) ?? unknown(request);
      if (!/^\d{6}$/.test(String((request.body as Body | undefined)?.pin))) throw missing('pin');
      found.number.status = 'CONNECTED';
      return { success: true };
    });

    app.post('/:version/:id/media', async (request) => {
      if (!state.number(allowed(sandbox, request))) unknown(request);
      const { file, fields } = await upload(request);
      if (fields.messaging_product !== 'whatsapp') throw missing('messaging_product');
      return { id: state.store(file.data, fields.type ?? file.mimeType, file.filename).id };
    });

    app.post('/:version/:id/message_attachments', async (request) => {
      if (!state.page(allowed(sandbox, request))) unknown(request);
      const { file } = await upload(request);
      return { attachment_id: state.store(file.data, file.mimeType, file.filename).id };
    });

    app.get('/:version/:id/conversations', async (request) => {
      const page = state.page(allowed(sandbox, request)) ?? unknown(request);
      const { user_id: user, platform } = request.query as Query;
      const account = platform === 'instagram' ? page.instagram?.id : page.id;
      if (!state.lastInbound.has(`${account} ${user}`)) return { data: [] };
      const sent = state.sent.filter(({ from, to }) => from === account && to === user).slice(-25);
      const data = sent.map(({ id, body, at }) => ({
        id,
        message: (body.message as Body).text ?? '',
        from: { id: account },
        created_time: new Date(at).toISOString(),
      }));
      const participants = {
        data: [
          { id: user, name: 'Sandra Box' },
          { id: account, name: page.name },
        ],
      };
      return { data: [{ id: `t_${user}`, participants, messages: { data: data.reverse() } }] };
    });

    app.post('/:version/:id/messages', async (request, reply) => {
      const id = allowed(sandbox, request);
      const body = (request.body ?? {}) as Body;
      const number = state.number(id);
      const isSend = body.status === undefined && body.sender_action === undefined;
      const spared = isSend && isSpared(sandbox.faults);
      if (isSend && !spared) refusal(sandbox.faults);
      const answer = number ? sendFromNumber(sandbox, number, body) : sendFromPage(sandbox, state.page(id) ?? unknown(request), body);
      if (isSend && !spared && sandbox.faults.lostAnswers > 0) {
        sandbox.faults.lostAnswers--;
        return hangUp(reply);
      }
      return answer;
    });

    app.get('/:version/:id', async (request) => {
      const id = allowed(sandbox, request);
      const number = state.number(id)?.number;
      if (number) return chosen(number, (request.query as Query).fields);
      const template = state.template(id)?.template;
      if (template) return template;
      const page = state.pages.find((candidate) => candidate.id === id);
      if (page) return pageJson(page);
      const waba = state.waba(id);
      if (waba) return { id, name: waba.name };
      const media = state.media.get(id);
      if (media) {
        const { data, mimeType } = media;
        const url = `${request.protocol}://${request.host}/_media/${id}`;
        return { id, url, mime_type: mimeType, sha256: hash('sha256', data, 'hex'), file_size: data.length, messaging_product: 'whatsapp' };
      }
      if ([...state.lastInbound.keys()].some((key) => key.endsWith(` ${id}`))) {
        return {
          id,
          first_name: 'Sandra',
          last_name: 'Box',
          name: 'Sandra Box',
          username: 'sandra.box',
          profile_pic: `${request.protocol}://${request.host}/avatar.png`,
        };
      }
      return unknown(request);
    });

    app.post('/:version/:id', async (request) => {
      const { template } = state.template(allowed(sandbox, request)) ?? unknown(request);
      edit(template, (request.body ?? {}) as Body);
      return { success: true };
    });

    app.delete('/:version/:id', async (request) => {
      if (!state.media.delete(allowed(sandbox, request))) unknown(request);
      return { success: true };
    });
  };
}

function bearer(request: FastifyRequest): string {
  const header = request.headers.authorization;
  return header?.startsWith('Bearer ') ? header.slice(7) : ((request.query as Query).access_token ?? '');
}

function tokenOf({ state, now }: Sandbox, request: FastifyRequest): Token {
  const value = bearer(request);
  if (!value) throw new GraphError(401, 104, 'An access token is required to request this resource.');
  const token = state.tokens.get(value);
  if (!token?.valid) throw badToken();
  if (token.expiresAt !== 0 && token.expiresAt * 1000 < now()) {
    throw new GraphError(401, 190, 'Error validating access token: Session has expired', { subcode: 463 });
  }
  return token;
}

/** The id in the path, once the token is found to reach it. `me` is the page of a page token. */
function allowed(sandbox: Sandbox, request: FastifyRequest): string {
  const token = tokenOf(sandbox, request);
  const { id } = request.params as Params;
  const named = id === 'me' ? sandbox.state.pages.find((page) => page.token === token.value)?.id : id;
  if (named === undefined) return unknown(request);
  const owner = sandbox.state.number(named)?.waba.id ?? named;
  const isAccount = sandbox.state.waba(owner) !== undefined || sandbox.state.page(named) !== undefined;
  if (isAccount && !reaches(token, named) && !reaches(token, owner)) throw unknownObject(named);
  return named;
}

function reaches(token: Token, id: string): boolean {
  return token.reaches === undefined || token.reaches.includes(id);
}

function unknown(request: FastifyRequest): never {
  throw unknownObject((request.params as Params).id);
}

function address(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}${request.url.split('?')[0]}`;
}

function pageJson(page: Page): unknown {
  if (page.ownLogin) {
    const { id, username, name } = page.instagram!;
    return { id: `9${id}`, user_id: id, username, name, account_type: 'BUSINESS' };
  }
  const instagram = page.instagram ? { instagram_business_account: page.instagram } : {};
  return {
    id: page.id,
    name: page.name,
    access_token: page.token,
    picture: { data: { url: `https://scontent.example/${page.id}.jpg` } },
    ...instagram,
  };
}

/** Only the fields that were asked for; one that there is none of is an error, as at Meta. */
function chosen(number: PhoneNumber, fields: string | undefined): unknown {
  if (!fields) {
    const { id, display_phone_number, verified_name, quality_rating } = number;
    return { id, display_phone_number, verified_name, quality_rating };
  }
  const known: Body = { is_on_biz_app: false, ...number };
  const wanted = ['id', ...fields.split(',')];
  const unheardOf = wanted.find((field) => known[field] === undefined);
  if (unheardOf)
    throw new GraphError(400, 100, `(#100) Tried accessing nonexisting field (${unheardOf}) on node type (WhatsAppBusinessPhoneNumber)`);
  return Object.fromEntries(wanted.map((field) => [field, known[field]]));
}

function debugged(sandbox: Sandbox, token: Token | undefined): unknown {
  if (!token) return { is_valid: false, error: { code: 190, message: 'Invalid OAuth access token.' }, scopes: [] };
  const expired = token.expiresAt !== 0 && token.expiresAt * 1000 < sandbox.now();
  const targets = sandbox.state.wabas.map(({ id }) => id).filter((id) => reaches(token, id));
  return {
    app_id: sandbox.state.app.id,
    type: 'SYSTEM_USER',
    is_valid: token.valid && !expired,
    expires_at: token.expiresAt,
    scopes: token.scopes,
    granular_scopes: [{ scope: 'whatsapp_business_management', target_ids: targets }],
    ...(expired ? { error: { code: 190, message: 'Error validating access token: Session has expired', subcode: 463 } } : {}),
  };
}

async function upload(
  request: FastifyRequest,
): Promise<{ file: { data: Buffer; mimeType: string; filename?: string }; fields: Record<string, string> }> {
  if (!request.isMultipart()) throw missing('file');
  const fields: Record<string, string> = {};
  let file: { data: Buffer; mimeType: string; filename?: string } | undefined;
  for await (const part of request.parts()) {
    if (part.type === 'file') file = { data: await part.toBuffer(), mimeType: part.mimetype, filename: part.filename };
    else fields[part.fieldname] = String(part.value);
  }
  if (!file) throw missing('file');
  return { file, fields };
}

/** Ends the connection without a word: the caller cannot know that the message went out. */
function hangUp(reply: FastifyReply): FastifyReply {
  reply.hijack();
  reply.raw.destroy();
  return reply;
}
