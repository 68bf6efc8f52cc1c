/** Real mail servers for the tests: a Dovecot and a Postfix of one's own, in a temporary folder, on free ports. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/until.ts';

const DOVECOT = '/usr/sbin/dovecot';
const POSTFIX = '/usr/sbin/postfix';
const NOBODY = 65_534;

/** Why the real servers cannot be used here; undefined when they can. */
export function whyNoServers(): string | undefined {
  if (process.getuid?.() !== 0) return 'starting Dovecot and Postfix needs root';
  const missing = [DOVECOT, POSTFIX].filter((path) => !existsSync(path));
  if (missing.length > 0) return `not installed: ${missing.join(', ')} (apt-get install dovecot-imapd postfix swaks)`;
  return spawnSync('swaks', ['--version']).status === 0 ? undefined : 'not installed: swaks';
}

/** Resolves once something listens at the port. */
export function listening(port: number): Promise<void> {
  return new Promise((done) => {
    const attempt = () => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        done();
      });
      socket.once('error', () => setTimeout(attempt, 50));
    };
    attempt();
  });
}

export interface Dovecot {
  port: number;
  /** Maildirs, one per address. */
  mail: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** A mailbox's INBOX is numbered anew. */
  forget(address: string): void;
}

/**
 * An IMAP server where any address signs in with `secret`; `capability` narrows what it can. With `tokenInfo`, an address
 * that says about a token whose it is, nothing but XOAUTH2 signs in.
 */
export async function dovecot(folder: string, capability?: string, tokenInfo?: string): Promise<Dovecot> {
  const port = await freePort();
  const mail = join(folder, 'mail');
  mkdirSync(mail, { recursive: true });
  chownSync(mail, NOBODY, NOBODY);
  const config = join(folder, 'dovecot.conf');
  writeFileSync(
    config,
    `protocols = imap
listen = 127.0.0.1
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/dovecot.log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = ${tokenInfo ? 'xoauth2 oauthbearer' : 'plain login'}
mail_location = maildir:${mail}/%u
first_valid_uid = 1
${capability ? `imap_capability = ${capability}` : ''}
passdb {
${tokenInfo ? `  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = ${folder}/oauth2.conf` : '  driver = static\n  args = password=secret'}
}
userdb {
  driver = static
  args = uid=${NOBODY} gid=${NOBODY} home=${mail}/%u
}
namespace inbox {
  inbox = yes
  mailbox Sent {
    auto = create
    special_use = \\Sent
  }
}
service imap-login {
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
`,
  );
  if (tokenInfo) {
    writeFileSync(
      join(folder, 'oauth2.conf'),
      `tokeninfo_url = ${tokenInfo}?access_token=\nusername_attribute = email\nusername_format = %u\nforce_introspection = no\n`,
    );
  }
  let child: ChildProcess | undefined;
  return {
    port,
    mail,
    async start() {
      child = spawn(DOVECOT, ['-F', '-c', config], { stdio: 'ignore' });
      await listening(port);
    },
    async stop() {
      const running = child;
      child = undefined;
      if (!running || running.exitCode !== null) return;
      const gone = new Promise((done) => running.once('exit', done));
      running.kill('SIGTERM');
      await gone;
    },
    forget(address) {
      for (const name of ['dovecot-uidlist', 'dovecot.index', 'dovecot.index.log', 'dovecot.index.cache'])
        rmSync(join(mail, address, name), { force: true });
    },
  };
}

export interface Postfix {
  port: number;
  stop(): void;
  log(): string;
}

/** An SMTP server that delivers `@shop.example` into Dovecot's maildirs and hands everything else to `relay`. */
export async function postfix(folder: string, mailboxes: { mail: string; addresses: string[] }, relay: number): Promise<Postfix> {
  const port = await freePort();
  const config = join(folder, 'postfix');
  for (const name of ['', 'queue', 'data']) mkdirSync(join(config, name), { recursive: true });
  chownSync(join(config, 'data'), Number(execFileSync('id', ['-u', 'postfix']).toString()), 0);
  writeFileSync(join(config, 'boxes'), mailboxes.addresses.map((address) => `${address} ${address}/\n`).join(''));
  writeFileSync(
    join(config, 'main.cf'),
    `compatibility_level = 3.6
queue_directory = ${config}/queue
data_directory = ${config}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.shop.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
virtual_mailbox_domains = shop.example
virtual_mailbox_base = ${mailboxes.mail}
virtual_mailbox_maps = texthash:${config}/boxes
virtual_uid_maps = static:${NOBODY}
virtual_gid_maps = static:${NOBODY}
virtual_minimum_uid = 1
recipient_delimiter = +
relayhost = [127.0.0.1]:${relay}
smtp_tls_security_level = may
smtputf8_enable = yes
maillog_file = ${config}/log
maillog_file_prefixes = ${tmpdir()}
`,
  );
  const services = readFileSync('/usr/share/postfix/master.cf.dist', 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.replace(/^smtp\s+inet/, `127.0.0.1:${port} inet`).replace(/^(\S+\s+\S+\s+\S+\s+\S+\s+)y(\s)/, '$1n$2'));
  writeFileSync(
    join(config, 'master.cf'),
    `${services.filter((line) => !/^(postlog|maildrop|uucp|ifmail|bsmtp|scalemail|mailman)/.test(line)).join('\n')}\npostlog unix-dgram n - n - 1 postlogd\n`,
  );
  const control = (verb: string) => spawnSync(POSTFIX, ['-c', config, verb], { encoding: 'utf8' });
  const started = control('start');
  if (started.status !== 0) throw new Error(`Postfix did not start: ${started.stderr}`);
  await listening(port);
  return {
    port,
    stop: () => void control('stop'),
    log: () => (existsSync(join(config, 'log')) ? readFileSync(join(config, 'log'), 'utf8') : ''),
  };
}

/** A folder that every user of the servers may enter. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-mail-'));
  execFileSync('chmod', ['755', folder]);
  return folder;
}
