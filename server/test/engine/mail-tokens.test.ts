/** Access tokens of mailboxes, asked for by several processes at once: what they share is the database. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createMicrosoftSandbox, type MicrosoftSandbox } from '../../../sandbox/email/index.ts';
import type { ConnectorContext } from '../../src/connectors/connector.ts';
import { microsoftClient } from '../../src/connectors/email/graph.ts';
import { accessToken } from '../../src/connectors/email/oauth.ts';
import type { Mailbox } from '../../src/connectors/email/settings.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { uuidv7 } from '../../src/model/ids.ts';
import { testEngine } from '../support/engine.ts';

let engine: Engine;
let sandbox: MicrosoftSandbox;
let mailbox: Mailbox;

beforeAll(async () => {
  sandbox = createMicrosoftSandbox();
  const base = await sandbox.app.listen({ port: 0, host: '127.0.0.1' });
  engine = await testEngine({ MICROSOFT_LOGIN_URL: base, MICROSOFT_GRAPH_URL: base });
  mailbox = {
    id: uuidv7(),
    workspaceId: engine.defaultWorkspaceId,
    sourceChannelId: 'box@shop.example',
    name: 'Box',
    sandbox: false,
    settings: { provider: 'microsoft', client_id: 'sandbox-client', tenant_id: 'sandbox-tenant' },
    credentials: { client_secret: 'sandbox-secret', refresh_token: sandbox.grant() },
    details: {},
  };
  return () => sandbox.app.close();
});

/** As each process makes one for itself. */
const context = (): ConnectorContext => engine.contexts.for({ workspaceId: mailbox.workspaceId, channelId: mailbox.id, sandbox: false });
const ask = (refused?: string) => {
  const own = context();
  return accessToken(microsoftClient(mailbox, own), mailbox.credentials, own, refused);
};

describe('a token that several want at once', () => {
  it('is asked for once, though its refresh token is good only once', async () => {
    const tokens = await Promise.all(Array.from({ length: 6 }, () => ask()));
    expect(new Set(tokens).size).toBe(1);
    const renewed = await Promise.all(Array.from({ length: 6 }, () => ask(tokens[0])));
    expect(new Set(renewed).size).toBe(1);
    expect(renewed[0]).not.toBe(tokens[0]);
    expect(sandbox.tokenRequests).toEqual(['refresh_token', 'refresh_token']);
  });

  it('is asked for by another when the one who asks died', async () => {
    const current = await ask();
    // A claim whose time is over, as a killed process leaves it.
    await engine.database.query(
      `insert into memos select workspace_id, channel_id, replace(key, 'access:', 'refreshing:'), value, key_id, now() - interval '1 second'
       from memos where key like 'access:%' and channel_id = $1`,
      [mailbox.id],
    );
    expect(await ask(current)).not.toBe(current);
  });

  it('is refused to all when the consent was taken back, and nobody waits for ever', async () => {
    const current = await ask();
    sandbox.revokeConsent();
    const answers = await Promise.allSettled(Array.from({ length: 3 }, () => ask(current)));
    for (const answer of answers) expect(answer).toMatchObject({ status: 'rejected', reason: { class: 'unauthorized' } });
  });
});
