/** Names one row of any workspace. */
export interface RowKey {
  workspaceId: string;
  id: string;
}

/** The keys as two arrays, for `unnest($1::uuid[], $2::uuid[])`. */
export function columnsOf(keys: RowKey[]): [string[], string[]] {
  return [keys.map((key) => key.workspaceId), keys.map((key) => key.id)];
}
