/** A channel as its connector sees it, and what it tells about one. */

/** A channel as its connector sees it. */
export interface ChannelView<S = Record<string, unknown>, C = Record<string, unknown>> {
  id: string;
  workspaceId: string;
  sourceChannelId: string;
  name: string;
  sandbox: boolean;
  settings: S;
  credentials: C;
  details: Record<string, unknown>;
}

/** What `connect` found out. Nothing is stored when it throws. */
export interface Connected<S, C> {
  sourceChannelId: string;
  /** The account's own name, used when the caller gave none. */
  name?: string;
  imageUrl?: string;
  settings: S;
  credentials: C;
  /**
   * What the provider told about the account; shown. `ownNames` (`{ source, sourceChannelId }`): how a source that
   * somebody brought calls itself and its channel, where a surface shows such names.
   */
  details?: Record<string, unknown>;
  status?: 'active' | 'pending' | 'warning';
  statusReason?: string;
}

/** An account that could be connected. */
export interface Candidate {
  sourceChannelId: string;
  name: string;
  imageUrl?: string;
  /** Fields that `connect` wants for this account, where `explore` already knows them. */
  input?: Record<string, unknown>;
}

/** How the channel is doing at the provider. */
export interface HealthReport {
  status: 'active' | 'pending' | 'warning' | 'failed';
  /** Why, and what to do about it. */
  reason?: string;
  details?: Record<string, unknown>;
  /** When the credentials end. */
  expiresAt?: Date;
  checks?: { name: string; ok: boolean; message?: string }[];
  /** Renewed by the check (tokens that end): kept in place of the present ones. */
  credentials?: Record<string, unknown>;
}

export interface Profile {
  name?: string;
  avatarUrl?: string;
}

/** One thing to be entered elsewhere. */
export interface SetupRow {
  label: string;
  value: string;
  help?: string;
  /** A secret that we share with the far end. */
  secret?: true;
}
