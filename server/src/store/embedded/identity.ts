import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../../start-error.ts';

/** As whom the database server runs: PostgreSQL refuses to run as root. */
export interface Identity {
  /** For `spawn`. */
  uid?: number;
  gid?: number;
  /** The command line that runs a program under this identity. */
  command(program: string, args: string[]): [string, string[]];
  /** Whom its files belong to; undefined: whoever we are. */
  owner?: { uid: number; gid: number };
}

interface User {
  name: string;
  uid: number;
  gid: number;
}

const asOurselves: Identity = { command: (program, args) => [program, args] };

/**
 * Picks the identity under which `program` works and reaches all `folders`. As an ordinary user: ourselves. As root:
 * another user who can enter the folders (whoever owns the cluster already comes first), else a user namespace, in
 * which root appears as somebody else; that also works in folders that only root may enter.
 */
export async function chooseIdentity(options: {
  program: string;
  env: Record<string, string>;
  clusterDir: string;
  folders: string[];
  /** Belongs to the identity; handed to each candidate in turn. */
  runtimeDir: string;
}): Promise<Identity> {
  if (process.getuid?.() !== 0) return asOurselves;
  const users = await systemUsers();
  const owner = await lstat(options.clusterDir).catch(() => undefined);
  const named = ['patchbay', 'postgres', 'nobody'].flatMap((name) => users.filter((user) => user.name === name)).map(asUser);
  const namespaces = users
    .filter((user) => user.name === 'postgres' || user.name === 'nobody')
    .slice(0, 1)
    .map(inNamespace);
  const candidates = !owner
    ? [...named, ...namespaces]
    : owner.uid === 0
      ? [...namespaces, ...named]
      : [asUser({ name: '', uid: owner.uid, gid: owner.gid }), ...namespaces, ...named];
  for (const candidate of candidates) {
    await chown(options.runtimeDir, candidate.owner!.uid, candidate.owner!.gid);
    if (!works(candidate, options)) continue;
    if (owner && owner.uid !== candidate.owner!.uid) await give(options.clusterDir, candidate.owner!);
    return candidate;
  }
  throw new StartError(
    `PostgreSQL does not run as root, no other user can enter ${options.folders[0]}, and user namespaces are not allowed here: ` +
      'start Patchbay as an ordinary user, put DATA_DIR where others may enter, or set DATABASE_URL',
  );
}

function asUser(user: User): Identity {
  return { uid: user.uid, gid: user.gid, command: asOurselves.command, owner: { uid: user.uid, gid: user.gid } };
}

function inNamespace(user: User): Identity {
  return {
    command: (program, args) => ['unshare', ['--user', `--map-user=${user.uid}`, `--map-group=${user.gid}`, '--', program, ...args]],
    owner: { uid: 0, gid: 0 },
  };
}

function works(identity: Identity, options: { program: string; env: Record<string, string>; folders: string[] }): boolean {
  const script = 'program=$1; shift; for folder; do cd "$folder" || exit 1; done; exec "$program" --version';
  const [command, args] = identity.command('/bin/sh', ['-c', script, 'sh', options.program, ...options.folders]);
  const { uid, gid } = identity;
  return spawnSync(command, args, { cwd: '/', env: { ...options.env, PATH: process.env.PATH }, uid, gid, stdio: 'ignore' }).status === 0;
}

/** Everybody in /etc/passwd: `initdb` looks its user up there. */
async function systemUsers(): Promise<User[]> {
  if (!existsSync('/etc/passwd')) return [];
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n');
  return lines.flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid && Number(uid) > 0 ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

/** Hands a folder and all that is in it to another owner; links are not followed. */
export async function give(path: string, owner: { uid: number; gid: number }): Promise<void> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isSymbolicLink()) await chown(join(entry.parentPath, entry.name), owner.uid, owner.gid);
  }
  await chown(path, owner.uid, owner.gid);
}
