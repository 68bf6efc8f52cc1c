import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isPostmasterOf } from '../../src/store/embedded/processes.ts';
import { testDatabase } from '../support/database.ts';
import { spawnPatchbay, startPatchbay, temporaryFolder } from '../support/patchbay.ts';
import { freePort, until } from '../support/until.ts';

const isRoot = process.getuid?.() === 0;
const nobody = { uid: 65_534, gid: 65_534 };
const root = join(import.meta.dirname, '..', '..', '..');
const canBeNobody = isRoot && spawnSync('/bin/sh', ['-c', `cd '${root}' && ls`], { cwd: '/', ...nobody }).status === 0;
const hasNamespaces = isRoot && spawnSync('unshare', ['--user', '--map-user=65534', 'true']).status === 0;
if (!canBeNobody)
  console.warn('SKIPPED: starting as an ordinary user besides root (the tests run as one, or others may not enter the checkout)');
if (!hasNamespaces) console.warn('SKIPPED: starting as root in a folder that only root may enter (not root, or no user namespaces here)');

const postmasterPid = async (dataDir: string) =>
  Number((await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
/** A server's process and its children's. */
const allOf = (pid: number) => [
  pid,
  ...execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number),
];
const ownerOf = async (dataDir: string) => (await stat(join(dataDir, 'postgres'))).uid;
const groupIsEmpty = (pid: number) => {
  try {
    process.kill(-pid, 0);
    return false;
  } catch {
    return true;
  }
};

/** Every file below the folder that holds the text. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const found = await Promise.all(files.map(async (file) => ((await readFile(file)).includes(text) ? file : [])));
  return found.flat();
}

describe('starting and stopping', () => {
  it('shows address, data folder and key, keeps the data over a restart, and shows no key again', async () => {
    const first = await startPatchbay();
    expect(first.stdout()).toContain(`http://localhost:${first.port}`);
    expect(first.stdout()).toContain(first.dataDir);
    expect(first.apiKey).toMatch(/^ak_live_[0-9A-Za-z]{32,}$/);
    expect(first.output().split(first.apiKey!)).toHaveLength(2);
    for (const path of ['/healthz', '/readyz', '/metrics']) expect((await fetch(first.url + path)).status, path).toBe(200);
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    expect(groupIsEmpty(first.pid)).toBe(true);
    expect(await filesWith(first.dataDir, first.apiKey!)).toEqual([]);

    const second = await startPatchbay({ DATA_DIR: first.dataDir });
    expect(second.apiKey).toBeUndefined();
    expect(second.workspaceId).toBe(first.workspaceId);
    expect(await second.stop('SIGINT')).toEqual({ code: 0, signal: null });
  });

  it('takes key and workspace from the environment and prints neither key nor secret', async () => {
    const apiKey = 'ak_live_fromTheEnvironment0000000000';
    const secret = Buffer.alloc(32, 7).toString('base64');
    const workspaceId = '018f0000-0000-7000-8000-000000000001';
    const patchbay = await startPatchbay({ PATCHBAY_API_KEY: apiKey, PATCHBAY_WORKSPACE_ID: workspaceId, PATCHBAY_SECRET: secret });
    expect(patchbay.workspaceId).toBe(workspaceId);
    await patchbay.stop();
    for (const text of [apiKey, secret]) {
      expect(patchbay.output()).not.toContain(text);
      expect(await filesWith(patchbay.dataDir, text)).toEqual([]);
    }
  });

  it('ends cleanly when a signal reaches the whole group, and when it comes twice', async () => {
    const interrupted = await startPatchbay();
    process.kill(-interrupted.pid, 'SIGINT');
    expect(await interrupted.exited).toEqual({ code: 0, signal: null });
    await until(() => groupIsEmpty(interrupted.pid));
    const terminated = await startPatchbay({ DATA_DIR: interrupted.dataDir });
    process.kill(-terminated.pid, 'SIGTERM');
    process.kill(-terminated.pid, 'SIGTERM');
    expect(await terminated.exited).toEqual({ code: 0, signal: null });
    await until(() => groupIsEmpty(terminated.pid));
  });

  it('ends with npm when npm alone gets the signal', async () => {
    const patchbay = await startPatchbay({}, { npm: true });
    expect(await patchbay.stop()).toEqual({ code: 0, signal: null });
    expect(groupIsEmpty(patchbay.pid)).toBe(true);
  });

  it('stops also while it is still starting', async () => {
    const patchbay = await spawnPatchbay();
    await until(async () => (await fetch(`${patchbay.url}/healthz`)).ok);
    expect(await patchbay.stop()).toEqual({ code: 0, signal: null });
    expect(groupIsEmpty(patchbay.pid)).toBe(true);
  });

  it('is not ready while the database is away, and again when it is back', async () => {
    const patchbay = await startPatchbay();
    const pid = await postmasterPid(patchbay.dataDir);
    // Stopped, it neither answers nor takes connections.
    const stopped = allOf(pid);
    for (const one of stopped) process.kill(one, 'SIGSTOP');
    await until(async () => (await fetch(`${patchbay.url}/readyz`)).status === 503);
    expect((await fetch(`${patchbay.url}/healthz`)).status).toBe(200);
    for (const one of stopped) process.kill(one, 'SIGCONT');
    await until(async () => (await fetch(`${patchbay.url}/readyz`)).status === 200);
    process.kill(pid, 'SIGKILL');
    await until(async () => (await postmasterPid(patchbay.dataDir)) !== pid);
    await until(async () => (await fetch(`${patchbay.url}/readyz`)).status === 200);
    expect(await patchbay.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('a data folder', () => {
  it('is refused while another Patchbay has it, in one line that names it and the process', async () => {
    const first = await startPatchbay();
    const second = await spawnPatchbay({ DATA_DIR: first.dataDir });
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.output()).toBe(`data folder ${first.dataDir} is in use by process ${first.pid}\n`);
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  });

  it('is taken over from a killed Patchbay, whether its database server died with it or not', async () => {
    const first = await startPatchbay();
    await first.kill();
    const second = await startPatchbay({ DATA_DIR: first.dataDir });
    expect(second.workspaceId).toBe(first.workspaceId);
    const leftover = await postmasterPid(second.dataDir);
    process.kill(second.pid, 'SIGKILL');
    const clusterDir = join(second.dataDir, 'postgres');
    expect(await isPostmasterOf(leftover, clusterDir)).toBe(true);
    const third = await startPatchbay({ DATA_DIR: first.dataDir });
    expect(await isPostmasterOf(leftover, clusterDir)).toBe(false);
    expect(third.workspaceId).toBe(first.workspaceId);
    expect(third.output()).toContain('left behind');
  });

  it.skipIf(!canBeNobody)('works for an ordinary user', async () => {
    const patchbay = await startPatchbay({}, { user: nobody });
    expect(await ownerOf(patchbay.dataDir)).toBe(nobody.uid);
    expect(await patchbay.stop()).toEqual({ code: 0, signal: null });
    const asRoot = await startPatchbay({ DATA_DIR: patchbay.dataDir });
    expect(await ownerOf(patchbay.dataDir)).toBe(nobody.uid);
    expect(asRoot.workspaceId).toBe(patchbay.workspaceId);
  });

  it.skipIf(!hasNamespaces)('works for root where only root may enter', async () => {
    const dataDir = join(await temporaryFolder(), 'data');
    await mkdir(dataDir, { mode: 0o700 });
    const first = await startPatchbay({ DATA_DIR: dataDir });
    expect(await ownerOf(dataDir)).toBe(0);
    expect(await first.stop()).toEqual({ code: 0, signal: null });
  });

  it.skipIf(!canBeNobody || !hasNamespaces)('goes on for root when others may no longer enter', async () => {
    const open = await startPatchbay();
    expect(await ownerOf(open.dataDir)).not.toBe(0);
    await open.stop();
    await chmod(open.dataDir, 0o700);
    const closed = await startPatchbay({ DATA_DIR: open.dataDir });
    expect(await ownerOf(open.dataDir)).toBe(0);
    expect(closed.workspaceId).toBe(open.workspaceId);
  });
});

describe('a database of the user', () => {
  it('is set up once by nodes that start at the same time', async () => {
    const { url, database } = await testDatabase();
    await database.pool.query('drop schema public cascade; create schema public');
    const nodes = await Promise.all([1, 2].map(() => startPatchbay({ DATABASE_URL: url })));
    expect(nodes[0]!.workspaceId).toBe(nodes[1]!.workspaceId);
    expect(nodes.flatMap((node) => node.apiKey ?? [])).toHaveLength(1);
    expect(await readdir(nodes[0]!.dataDir)).toEqual(['secret']);
    expect(await Promise.all(nodes.map((node) => node.stop()))).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ]);
  });

  it('is waited for, alive and not ready, while it cannot be reached', async () => {
    const patchbay = await spawnPatchbay({ DATABASE_URL: `postgresql://me:hunter2@127.0.0.1:${await freePort()}/x` });
    await until(() => patchbay.output().includes('waiting for it'));
    expect((await fetch(`${patchbay.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${patchbay.url}/readyz`)).status).toBe(503);
    expect(await patchbay.stop()).toEqual({ code: 0, signal: null });
    expect(patchbay.output()).not.toContain('hunter2');
  });

  it('is named in one line when it refuses us', async () => {
    const { url } = await testDatabase();
    const patchbay = await spawnPatchbay({ DATABASE_URL: url.replace(/t_[0-9a-f]+/, 'no_such_database') });
    expect(await patchbay.exited).toEqual({ code: 1, signal: null });
    expect(patchbay.output()).toBe('DATABASE_URL: database "no_such_database" does not exist\n');
  });
});

describe('a start that cannot be', () => {
  it('names the port that is in use', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    const patchbay = await spawnPatchbay({ PORT: String(port) });
    expect(await patchbay.exited).toEqual({ code: 1, signal: null });
    other.close();
    expect(patchbay.output()).toMatch(new RegExp(`^port ${port} is in use[^\n]*\n$`));
  });

  it.each([
    ['PORT', 'many'],
    ['DATABASE_URL', 'nonsense-hunter2'],
    ['PATCHBAY_SECRET', 'hunter2'],
    ['DATA_DIR', '/dev/null/x'],
    ['HOST', 'no-such-host.invalid'],
  ])('names %s in one line', async (name, value) => {
    const patchbay = await spawnPatchbay({ [name]: value });
    expect(await patchbay.exited).toEqual({ code: 1, signal: null });
    expect(patchbay.output()).toMatch(new RegExp(`^${name}[ :][^\n]*\n$`));
    expect(patchbay.output()).not.toContain('hunter2');
  });
});
