/** Access to a mailbox that a person grants in the browser: the same way for every kind of mailbox. */
import type { ConnectorContext, ConsentOperations } from '../connector.ts';
import { connectedAs, testedOnConnect } from './connected.ts';
import type { MailboxKind } from './kind.ts';
import { type Client, consentPage, exchangeCode } from './oauth.ts';
import type { Mailbox, MailCredentials, MailSettings } from './settings.ts';

/** `clientOf` is asked as if the person had consented already. The granted mailbox is tested as when it is connected. */
export function consentBy(
  clientOf: (mailbox: Mailbox, context: ConnectorContext) => Client,
  kind: () => MailboxKind,
): ConsentOperations<MailSettings, MailCredentials> {
  const clientFor = (mailbox: Mailbox, context: ConnectorContext) =>
    clientOf({ ...mailbox, credentials: { refresh_token: 'wanted', ...mailbox.credentials } }, context);
  return {
    async start(mailbox, context, request) {
      return consentPage(clientFor(mailbox, context), context.config, { ...request, loginHint: mailbox.sourceChannelId });
    },
    async finish(mailbox, context, answer) {
      const grant = await exchangeCode(clientFor(mailbox, context), context, {
        code: answer.code,
        redirectUri: answer.redirectUri,
        verifier: answer.keep.verifier ?? '',
      });
      const granted = grant.refreshToken ? { refresh_token: grant.refreshToken } : {};
      const repaired = { ...mailbox, credentials: { ...mailbox.credentials, ...granted } };
      return connectedAs(repaired, await testedOnConnect(kind(), repaired, context));
    },
  };
}
