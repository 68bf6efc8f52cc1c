/** What a test of a mailbox means: when it is connected or granted access, and when it is looked after. */
import { ProviderError } from '../../model/errors.ts';
import type { ConnectorContext, HealthReport } from '../connector.ts';
import type { MailboxKind } from './kind.ts';
import { CONSENT_REQUIRED, isClientRefused } from './oauth.ts';
import type { Mailbox } from './settings.ts';

/**
 * A consent that is missing, or a server that is not there yet, leaves a mailbox `pending`; wrong credentials and an
 * address that the provider does not know refuse it (throws).
 */
export async function testedOnConnect(kind: MailboxKind, mailbox: Mailbox, context: ConnectorContext): Promise<HealthReport> {
  try {
    const report = await kind.test(mailbox, context);
    return report.checks?.some((check) => !check.ok) ? { ...report, status: 'pending' } : report;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const canWait = error.class === 'retry' || error.class === 'rate-limited' || isMissingConsent(mailbox, error);
    if (!canWait) throw error;
    return { status: 'pending', reason: wordsOf(error) };
  }
}

/** Access that was granted once and is refused now needs a person; all else is told and may pass. Throws nothing of the provider's. */
export async function testedOnHealth(kind: MailboxKind, mailbox: Mailbox, context: ConnectorContext): Promise<HealthReport> {
  try {
    return await kind.test(mailbox, context);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const pending = error.code === CONSENT_REQUIRED;
    const failed = error.class === 'unauthorized' || error.class === 'rejected';
    return { status: pending ? 'pending' : failed ? 'failed' : 'warning', reason: wordsOf(error) };
  }
}

/** A tested mailbox as `connect` and a finished consent give it. */
export function connectedAs(mailbox: Mailbox, report: HealthReport) {
  return {
    sourceChannelId: mailbox.sourceChannelId,
    name: mailbox.name,
    settings: mailbox.settings,
    credentials: mailbox.credentials,
    details: { ...report.details, connectedAt: mailbox.details.connectedAt },
    status: report.status === 'failed' ? ('pending' as const) : report.status,
    ...(report.reason ? { statusReason: report.reason } : {}),
  };
}

function isMissingConsent(mailbox: Mailbox, error: ProviderError): boolean {
  const { provider } = mailbox.settings;
  if (error.class !== 'unauthorized' || isClientRefused(error.code, error.message)) return false;
  return provider === 'microsoft' || provider === 'google' || error.code === CONSENT_REQUIRED;
}

function wordsOf(error: ProviderError): string {
  return error.hint ? `${error.message} ${error.hint}` : error.message;
}
