/**
 * The one lifecycle of a channel; each surface shows its own words for it (decisions.md B4).
 * - `setting-up`: a connect is under way
 * - `pending`: something outside is outstanding (consent, DNS, approval)
 * - `active`: works
 * - `warning`: works, and needs attention
 * - `failed`: does not work until somebody repairs it
 * - `inactive`: switched off or disconnected; history stays
 * - `deleted`: gone from lists, kept for 30 days
 */
export type ChannelStatus = 'setting-up' | 'pending' | 'active' | 'warning' | 'failed' | 'inactive' | 'deleted';

/** States in which a channel receives and sends. */
export function isConnected(status: ChannelStatus): boolean {
  return status === 'active' || status === 'warning' || status === 'failed' || status === 'pending';
}

export interface Channel {
  workspaceId: string;
  id: string;
  source: string;
  /** The provider's id of the account: page id, phone number id, mail address, site name. */
  sourceChannelId: string;
  name: string;
  imageUrl: string | null;
  status: ChannelStatus;
  /** Why it is not simply `active`, in words a person understands. */
  statusReason: string | null;
  /** Made with a test key: a stand-in answers, no provider is ever called. */
  sandbox: boolean;
  /** The connector's settings (its settings schema); shown. */
  settings: Record<string, unknown>;
  /** What the provider told about the account (display number, quality, …); shown. */
  details: Record<string, unknown>;
  /** What users keep on it. */
  metadata: Record<string, unknown>;
  createdAt: Date;
  updatedAt: Date;
  deletedAt: Date | null;
}
