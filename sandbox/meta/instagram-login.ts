/** What Instagram's own host has besides the Graph API: longer-lived tokens. developers.facebook.com/docs/instagram-platform */
import type { FastifyInstance } from 'fastify';
import { badToken, GraphError } from './errors.ts';
import type { Sandbox } from './index.ts';

type Query = Record<string, string | undefined>;

const LIFE_SECONDS = 60 * 24 * 3600;
/** A token has to be this old before it is renewed. */
const DAY_SECONDS = 24 * 3600;

export function instagramLoginRoutes({ state, now }: Sandbox) {
  const seconds = () => Math.floor(now() / 1000);
  const replace = (value: string | undefined, ending: string) => {
    const token = state.tokens.get(value ?? '');
    const account = state.pages.find((page) => page.ownLogin && page.token === value);
    if (!token?.valid || !account || (token.expiresAt !== 0 && token.expiresAt < seconds())) throw badToken();
    account.token = `${token.value}${ending}`;
    state.addToken({ ...token, value: account.token, expiresAt: seconds() + LIFE_SECONDS });
    return { access_token: account.token, token_type: 'bearer', expires_in: LIFE_SECONDS };
  };

  return async (app: FastifyInstance): Promise<void> => {
    app.get('/access_token', async (request) => {
      const { grant_type: grant, client_secret: secret, access_token: token } = request.query as Query;
      if (grant !== 'ig_exchange_token') throw new GraphError(400, 100, 'Unsupported grant_type');
      if (secret !== state.app.secret) throw new GraphError(400, 101, 'Error validating client secret.');
      if (token?.endsWith('-long'))
        throw new GraphError(400, 452, 'Session key invalid. This could be because the session key has an incorrect format');
      return replace(token, '-long');
    });

    app.get('/refresh_access_token', async (request) => {
      const { grant_type: grant, access_token: token } = request.query as Query;
      if (grant !== 'ig_refresh_token') throw new GraphError(400, 100, 'Unsupported grant_type');
      const known = state.tokens.get(token ?? '');
      if (known && known.expiresAt - seconds() > LIFE_SECONDS - DAY_SECONDS)
        throw new GraphError(400, 100, 'The access token is less than 24 hours old');
      return replace(token, '+');
    });
  };
}
