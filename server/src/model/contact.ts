/** A person at the far end, whatever they write through. */
export interface Contact {
  workspaceId: string;
  id: string;
  displayName: string | null;
  avatarUrl: string | null;
  /** Profile fields: title, gender, timezone, locale, organization_name, via, address, …. */
  attributes: Record<string, unknown>;
  metadata: Record<string, unknown>;
  /** How far fetching the provider's profile has come; `edited` once a person wrote the name. */
  profileState: 'wanted' | 'ok' | 'failed' | 'edited' | null;
  mergedInto: string | null;
  createdAt: Date;
  updatedAt: Date;
}

/** One address of a contact. */
export interface Identity {
  kind: string;
  /** The source channel id for addresses that mean something on one channel only, else ''. */
  scope: string;
  value: string;
  contactId: string;
}
