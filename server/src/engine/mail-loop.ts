/**
 * The last guard against mail loops: a program of ours that answers every mail, and one at the far end that does too,
 * neither saying that it is a machine. People do not write that fast.
 */
import { PatchbayError } from '../model/errors.ts';
import { firstUuidv7At } from '../model/ids.ts';
import type { Client } from '../store/database.ts';
import { countRecent } from '../store/messages.ts';

const WINDOW_MINUTES = 5;
/** So many mails in each direction within the window are a loop. */
const MOST = 10;

/** Why nothing goes out to a contact now; undefined when it may. */
export async function loopProblem(
  client: Client,
  where: { workspaceId: string; channelId: string; contactId: string },
): Promise<PatchbayError | undefined> {
  const { received, sent } = await countRecent(client, where, firstUuidv7At(Date.now() - WINDOW_MINUTES * 60_000));
  if (received < MOST || sent < MOST) return undefined;
  return new PatchbayError(
    'rate-limited',
    `this looks like a mail loop: ${received} mails came from the contact and ${sent} went to it within ${WINDOW_MINUTES} minutes. ` +
      'Find the program that answers; try again in some minutes',
  );
}
