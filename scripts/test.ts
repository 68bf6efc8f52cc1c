// `npm test`: runs everything, after saying plainly which tests this machine cannot run.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
const hasProgram = (...names: string[]) => folders.some((folder) => names.some((name) => existsSync(join(folder, name))));

const missing = [
  { there: hasProgram('chromium', 'chromium-browser', 'google-chrome'), what: 'chromium: the pages and the widget in a real browser' },
  { there: hasProgram('dovecot'), what: 'dovecot: mailboxes on a real IMAP server' },
  { there: hasProgram('postfix'), what: 'postfix: mail through a real SMTP server' },
  { there: hasProgram('bash') && hasProgram('curl') && hasProgram('jq'), what: 'bash, curl and jq: the examples of the documentation' },
  { there: hasProgram('swaks'), what: 'swaks: mail from a foreign SMTP client' },
  {
    there: existsSync(process.env.EVIDENCE_DIR ?? join(root, '..', 'shared', 'evidence')),
    what: "EVIDENCE_DIR: the providers' own examples",
  },
].filter(({ there }) => !there);
for (const { what } of missing) console.warn(`Not on this machine, its tests are skipped: ${what}`);

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const child = spawn(process.execPath, [vitest, 'run', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
// Whoever stops the run stops it through us.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
child.once('exit', (code) => process.exit(code ?? 1));
