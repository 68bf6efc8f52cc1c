import { numbersQuery } from '../api/numbers.ts';
import { queryClient } from '../api/query-client.ts';
import { channelsQuery } from '../api/workspace.ts';

/** Numbers change what channels there are, too. */
export async function refreshNumbers(): Promise<void> {
  await queryClient.invalidateQueries({ queryKey: numbersQuery.queryKey });
  await queryClient.invalidateQueries({ queryKey: channelsQuery.queryKey });
}
