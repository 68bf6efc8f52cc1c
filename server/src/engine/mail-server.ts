/** The built-in mail server as part of the running service: which mailboxes it takes mail for, and where that goes. */
import { setTimeout } from 'node:timers/promises';
import { createMailServer, type MailServer } from '../connectors/email/server.ts';
import { StartError } from '../start-error.ts';
import { builtinMailbox } from '../store/mailboxes.ts';
import type { Engine } from './engine.ts';

type Parts = Pick<Engine, 'config' | 'database' | 'ingest' | 'spool' | 'log'>;

/** How long mails under way may take to end when the service stops; what has no 250 by then is sent again. */
const STOP_MS = 3_000;

export interface RunningMailServer {
  port: number;
  close(): Promise<void>;
}

/**
 * Listens at SMTP_INBOUND_PORT on HOST; undefined when it is turned off (`0`), and, with a warning, when nobody asked
 * for a port and the usual one is taken (a second Patchbay on the machine). Throws `StartError` that names the variable
 * when the port that was asked for cannot be had.
 */
export async function startMailServer({ config, database, ingest, spool, log }: Parts): Promise<RunningMailServer | undefined> {
  const wanted = config.smtpInboundPort;
  if (wanted === 0) return undefined;
  const server: MailServer = createMailServer({
    hostname: new URL(config.publicUrl).hostname,
    accept: async (address) => {
      const found = await builtinMailbox(database, address);
      return found && { address: found.address, channel: { workspaceId: found.workspaceId, id: found.channelId } };
    },
    spool,
    deliver: (events) => ingest.submit(events),
    log,
  });
  try {
    const port = await server.listen(wanted, config.host);
    return { port, close: () => Promise.race([server.close(), setTimeout(STOP_MS, undefined, { ref: false })]) };
  } catch (error) {
    const refusal = startError(error as NodeJS.ErrnoException, wanted);
    if (config.smtpInboundPortGiven || !(refusal instanceof StartError)) throw refusal;
    log.warn(`the built-in mail server does not run: ${refusal.message}`);
    return undefined;
  }
}

function startError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new StartError(
      `SMTP_INBOUND_PORT ${port} is in use: end what listens there, set SMTP_INBOUND_PORT to another port, or to 0 to turn the mail server off`,
    );
  }
  if (error.code === 'EACCES') return new StartError(`SMTP_INBOUND_PORT ${port} needs more rights than this user has: set another port`);
  return error;
}
