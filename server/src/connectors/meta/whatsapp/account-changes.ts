/**
 * Changes of templates, numbers and accounts. They carry the business account's id; those about one number name it by
 * its display number.
 * developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference
 */
import type { AccountEvent, InboundEvent, TemplateEvent } from '../../events.ts';
import { compact, digitsOf, type Json, record, records, text, timeOfSeconds } from '../values.ts';

/** What one change of `field` means; `told` is when Meta said so. */
export function accountChange(field: string, account: string, value: Json, told?: Date): InboundEvent {
  const event = changeOf(field, account, value);
  return told && (event.kind === 'template' || event.kind === 'account') && !event.at ? { ...event, at: told } : event;
}

function changeOf(field: string, account: string, value: Json): InboundEvent {
  switch (field) {
    case 'message_template_status_update':
      return templateStatus(account, value);
    case 'message_template_quality_update':
      return template(account, value, { quality: text(value.new_quality_score) });
    case 'template_category_update':
      return template(account, value, { category: text(value.new_category) });
    case 'message_template_components_update':
      return template(account, value, { contentChanged: true });
    case 'phone_number_quality_update':
      return numberQuality(account, value);
    case 'phone_number_name_update':
      return numberName(account, value);
    case 'account_update':
      return accountUpdate(account, value);
    case 'account_review_update':
      return accountReview(account, value);
    case 'account_alerts':
      return about(account, undefined, value, {
        details: { account_alert: value },
        ...(text(value.alert_severity) === 'CRITICAL' ? { status: 'warning' as const } : {}),
        ...(text(value.alert_description) ? { reason: text(value.alert_description) } : {}),
      });
    case 'business_capability_update':
      return about(account, undefined, value, { details: { business_capability: value } });
    case 'security':
      return about(account, text(value.display_phone_number), value, {
        details: { last_security_event: text(value.event) },
        reason: `Security setting of the number changed: ${text(value.event) ?? 'unknown'}`,
      });
    default:
      return { kind: 'ignored', reason: `Nothing to do for ${field.slice(0, 80)}` };
  }
}

function template(account: string, value: Json, changes: Partial<TemplateEvent>): InboundEvent {
  const name = text(value.message_template_name);
  if (!name) return { kind: 'ignored', reason: 'A template change without a name' };
  return {
    kind: 'template',
    account,
    name,
    language: text(value.message_template_language) ?? '',
    ...(text(value.message_template_id) ? { providerRef: text(value.message_template_id) } : {}),
    ...changes,
    ...(timeOfSeconds(value.timestamp) ? { at: timeOfSeconds(value.timestamp) } : {}),
    payload: value,
  };
}

/** Some events say what happened to a template rather than what it now is. */
function templateStatus(account: string, value: Json): InboundEvent {
  const event = text(value.event);
  const told = text(value.reason);
  const rejection = record(value.rejection_info);
  const reason = [told === 'NONE' ? undefined : told, text(rejection?.reason), text(rejection?.recommendation)].filter(Boolean).join(' – ');
  const status = event === 'REINSTATED' || event === 'UNARCHIVED' ? 'APPROVED' : event === 'FLAGGED' ? undefined : event;
  return template(account, value, {
    ...(status ? { status } : {}),
    ...(event === 'FLAGGED' ? { quality: 'RED' } : {}),
    ...(text(value.message_template_category) ? { category: text(value.message_template_category) } : {}),
    ...(reason ? { reason } : {}),
  });
}

function about(account: string, number: string | undefined, payload: Json, changes: Partial<AccountEvent>): AccountEvent {
  const digits = number ? digitsOf(number) : '';
  return {
    kind: 'account',
    account,
    ...(digits ? { where: { detail: 'display_number', value: `+${digits}` } } : {}),
    ...changes,
    payload,
  };
}

function numberQuality(account: string, value: Json): InboundEvent {
  const event = text(value.event);
  const details = compact({
    messaging_limit_tier: text(value.current_limit) ?? text(value.max_daily_conversations_per_business),
    throughput: event === 'THROUGHPUT_UPGRADE' ? 'HIGH' : undefined,
    quality_event: event,
  });
  return about(account, text(value.display_phone_number), value, {
    ...(details ? { details } : {}),
    ...(event === 'FLAGGED'
      ? {
          status: 'warning' as const,
          reason: 'Meta flagged this number for low quality: customers blocked or reported it. Send less, and only what they asked for.',
        }
      : {}),
    ...(event === 'UNFLAGGED' ? { status: 'active' as const } : {}),
  });
}

function numberName(account: string, value: Json): InboundEvent {
  const decision = text(value.decision);
  const name = text(value.requested_verified_name);
  const details = compact({ name_status: decision, verified_name: decision === 'APPROVED' ? name : undefined });
  const why = text(value.rejection_reason);
  return about(account, text(value.display_phone_number), value, {
    ...(details ? { details } : {}),
    ...(decision === 'REJECTED'
      ? {
          status: 'warning' as const,
          reason: `Meta rejected the display name ${name ?? ''}${why && why !== 'NONE' ? `: ${why}` : ''}`.trim(),
        }
      : {}),
  });
}

const ENDED: Record<string, string> = {
  ACCOUNT_DELETED: 'The WhatsApp business account was deleted',
  PARTNER_REMOVED: 'The business removed this app’s access to its WhatsApp account',
  PARTNER_APP_UNINSTALLED: 'The business uninstalled this app from its WhatsApp account',
};

function accountUpdate(account: string, value: Json): InboundEvent {
  const event = text(value.event) ?? 'unknown';
  const number = text(value.phone_number);
  const details = { account_event: event };
  const ended = Object.hasOwn(ENDED, event) ? ENDED[event] : undefined;
  if (ended)
    return about(account, number, value, { details, status: 'failed', reason: `${ended}. Connect it again with a token that has access.` });
  if (event === 'DISABLED_UPDATE') {
    const state = records(value.ban_info)[0] ?? record(value.ban_info) ?? {};
    const ban = text(Array.isArray(state.waba_ban_state) ? state.waba_ban_state[0] : state.waba_ban_state);
    if (ban === 'REINSTATE') return about(account, number, value, { details, status: 'active' });
    const soon = ban === 'SCHEDULE_FOR_DISABLE';
    return about(account, number, value, {
      details,
      status: soon ? 'warning' : 'failed',
      reason: `Meta ${soon ? 'will disable' : 'disabled'} the WhatsApp business account. Appeal in Meta Business Manager under Account quality.`,
    });
  }
  if (event === 'ACCOUNT_VIOLATION') {
    const violation = text(record(value.violation_info)?.violation_type) ?? 'unnamed';
    return about(account, number, value, { details, status: 'warning', reason: `Meta reports a policy violation: ${violation}` });
  }
  if (event === 'ACCOUNT_RESTRICTION') {
    const kinds = records(value.restriction_info).flatMap((restriction) => text(restriction.restriction_type) ?? []);
    return about(account, number, value, {
      details,
      status: 'warning',
      reason: `Meta restricted the account: ${kinds.join(', ') || 'unnamed'}`,
    });
  }
  return about(account, number, value, { details });
}

function accountReview(account: string, value: Json): InboundEvent {
  const decision = text(value.decision) ?? 'unknown';
  return about(account, undefined, value, {
    details: { account_review: decision },
    ...(decision === 'REJECTED' ? { status: 'warning' as const, reason: 'Meta rejected the review of the WhatsApp business account' } : {}),
  });
}
