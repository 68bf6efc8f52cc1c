/** Channels as this product shows them. */
import type { ChannelStatus } from '../../model/channel.ts';
import type { VotelChannel } from '../../store/votel-channels.ts';
import { timeOf } from '../times.ts';

/** The one lifecycle in this product's two words (decisions.md B4): what is only waiting for something is available. */
export const STATUSES: Record<'available' | 'unavailable', ChannelStatus[]> = {
  available: ['setting-up', 'pending', 'active', 'warning'],
  unavailable: ['failed', 'inactive'],
};

export function isAvailable(row: { status: ChannelStatus }): boolean {
  return STATUSES.available.includes(row.status);
}

/** As creating answers it; the fields of the other type are absent. */
export function shown(row: VotelChannel) {
  return {
    id: row.id,
    tenant_id: row.workspaceId,
    name: row.name,
    channel_type: row.type,
    integration_id: row.integrationId,
    ...(row.type === 'email'
      ? { send_from_email: row.identifier, email_domain_id: row.emailDomainId }
      : { send_from_phone_number: row.identifier, phone_number_id: row.phoneNumberId }),
    status: isAvailable(row) ? 'available' : 'unavailable',
    is_default: row.isDefault,
    metadata: row.metadata,
    created_at: timeOf(row.createdAt),
  };
}

export function shownWhole(row: VotelChannel) {
  return { ...shown(row), updated_at: timeOf(row.updatedAt) };
}

/** An entry of a menu. */
export function option(row: VotelChannel) {
  const available = isAvailable(row);
  return {
    id: row.id,
    name: `${row.name} (${row.identifier})`,
    identifier: row.identifier,
    category: row.type,
    status: available ? 'available' : 'unavailable',
    disabled_reason: available ? null : (row.statusReason ?? 'switched off'),
  };
}
