import { type Config, helpText, readConfig } from './config.ts';
import { createLogger } from './log.ts';
import { type Service, startService } from './service.ts';
import { StartError } from './start-error.ts';

/** Past this the contract of ten seconds would be broken: whatever still hangs is left behind. */
const STOP_MS = 9000;

async function main(args: string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(helpText());
    return;
  }
  if (args.length > 0) throw new StartError(`unknown argument ${args[0]}; --help shows what there is`);
  const config = readConfig(process.env);
  const log = createLogger(config.logLevel);
  const stopping = new AbortController();
  const stopAsked = new Promise<void>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) return;
      log.info({ signal }, 'stopping');
      stopping.abort();
      setTimeout(() => process.exit(0), STOP_MS).unref();
    });
  }

  let service: Service;
  try {
    service = await startService(config, log, stopping.signal);
  } catch (error) {
    // Whatever a stop interrupted is no failure.
    if (stopping.signal.aborted) process.exit(0);
    throw error;
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, async (error) => {
      log.fatal({ err: error }, 'an error that nobody handled: stopping');
      setTimeout(() => process.exit(1), STOP_MS).unref();
      await service.stop().catch((failure) => log.error({ err: failure }, 'stopping failed'));
      process.exit(1);
    });
  }
  process.stdout.write(welcome(config, service));
  await stopAsked;
  await service.stop();
  process.exit(0);
}

/** The block that people read first. */
function welcome(config: Config, service: Service): string {
  const local = `http://localhost:${config.port}`;
  const rows = [
    ['Address', local],
    ...(config.publicUrl === local ? [] : [['Public address', config.publicUrl]]),
    ['Data', config.databaseUrl ? `${config.dataDir}, and the database of DATABASE_URL` : config.dataDir],
    ['Workspace', service.workspaceId],
    ...(service.newApiKey ? [['API key', `${service.newApiKey}  (shown this once: keep it)`]] : []),
  ];
  const hints = [
    ['Inbox and control center', `${local}/`],
    ['A page with the live chat', `${local}/demo`],
    ['API reference', `${local}/docs`],
  ];
  const table = (lines: string[][], width: number) => lines.map(([name, text]) => `  ${name!.padEnd(width)}${text}`);
  return ['', 'Patchbay is running.', '', ...table(rows, 16), '', 'Try this:', ...table(hints, 28), '', ''].join('\n');
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof StartError) process.stderr.write(`${error.message}\n`);
  else console.error(error);
  process.exit(1);
});
