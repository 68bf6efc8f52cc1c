/** Domains that were verified, and what happens when their DNS records go. */
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { domainWatch } from '../../src/engine/domain-watch.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { checkHealth } from '../../src/engine/health.ts';
import { addDomain, standingOf, verifyDomain } from '../../src/engine/mail-domains.ts';
import { recordsFor } from '../../src/model/mail-domain.ts';
import { type EmailDomain, getEmailDomain } from '../../src/store/email-domains.ts';
import { eventsAfter, newestSeq } from '../../src/store/events.ts';
import { builtinMailbox } from '../../src/store/mailboxes.ts';
import { testEngine } from '../support/engine.ts';

let engine: Engine;
let domain: EmailDomain;
let domains = 0;
const zone = { txt: new Map<string, string>(), mx: new Map<string, string>(), away: false, asked: [] as string[] };

function answer(found: string | undefined, name: string): string {
  zone.asked.push(name);
  if (zone.away) throw Object.assign(new Error('timeout'), { code: 'ETIMEOUT' });
  if (!found) throw Object.assign(new Error('none'), { code: 'ENOTFOUND' });
  return found;
}

const dns = {
  resolveTxt: async (name: string) => [[answer(zone.txt.get(name), name)]],
  resolveMx: async (name: string) => [{ exchange: answer(zone.mx.get(name), name), priority: 10 }],
};

beforeAll(async () => {
  engine = await testEngine({ PUBLIC_URL: 'https://mail.patchbay.example' }, { dns });
});

beforeEach(async () => {
  domains += 1;
  zone.away = false;
  const added = await addDomain(engine, engine.defaultWorkspaceId, { domain: `d${domains}.example`, trusted: false, sandbox: false });
  for (const { type, name, value } of recordsFor(added, 'mail.patchbay.example')) {
    if (type === 'TXT') zone.txt.set(name, value);
    else zone.mx.set(name, 'mail.patchbay.example');
  }
  domain = await verifyDomain(engine, added);
  zone.asked = [];
});

const now = async () => (await getEmailDomain(engine.database, domain.workspaceId, domain.id))!;
const status = async () => standingOf(engine, await now()).status;
const asked = () => zone.asked.filter((name) => name === domain.domain).length;

/** The watch comes by, some time after the last look. */
async function later(interval: string): Promise<void> {
  await engine.database.query(
    `update email_domains set looked_at = looked_at - $2::interval, checked_at = checked_at - $2::interval, created_at = created_at - $2::interval,
       failing_since = failing_since - $2::interval where id = $1`,
    [domain.id, interval],
  );
  // Two processes at once: one of them looks.
  const watches = [domainWatch(engine), domainWatch(engine)];
  for (const watch of watches) watch.start();
  await Promise.all(watches.map((watch) => watch.stop()));
}

it('looks again after some hours, once for all processes', async () => {
  await later('1 hour');
  expect(asked()).toBe(0);
  await later('7 hours');
  expect(asked()).toBe(2); // its SPF and its MX
  expect(await status()).toBe('verified');
});

it('warns when records went, tells of it once, and takes the warning back', async () => {
  const channel = await engine.channels.connect({
    workspaceId: domain.workspaceId,
    source: 'email',
    input: { email: `help@${domain.domain}`, provider: 'aurion' },
    sandbox: false,
    existing: 'refuse',
  });
  const before = await newestSeq(engine.database, domain.workspaceId);
  zone.mx.delete(domain.domain);
  await later('7 hours');
  await later('11 minutes');
  expect(await status()).toBe('warning');
  expect(standingOf(engine, await now()).records.find(({ purpose }) => purpose === 'return_path')).toMatchObject({ status: 'missing' });
  expect(await checkHealth(engine, domain.workspaceId, channel.id)).toMatchObject({
    status: 'warning',
    statusReason: expect.stringContaining(domain.domain),
  });
  expect(await builtinMailbox(engine.database, `anybody@${domain.domain}`)).toMatchObject({ channelId: channel.id });

  zone.mx.set(domain.domain, 'mail.patchbay.example');
  await later('11 minutes');
  expect(await status()).toBe('verified');
  expect(await checkHealth(engine, domain.workspaceId, channel.id)).toMatchObject({ status: 'active', statusReason: null });
  const told = (await eventsAfter(engine.database, domain.workspaceId, before, 100)).filter(({ type }) => type === 'domain.updated');
  expect(told.map(({ data }) => data)).toEqual([
    { id: domain.id, domain: domain.domain, status: 'warning' },
    { id: domain.id, domain: domain.domain, status: 'verified' },
  ]);
});

it('stops counting a domain as verified only after days without its records', async () => {
  zone.mx.delete(domain.domain);
  await later('7 hours');
  await later('71 hours');
  expect(await status()).toBe('warning');
  await later('2 hours');
  expect(await status()).toBe('failed');
  expect((await now()).verifiedAt).toBeNull();
});

it('changes nothing while the DNS does not answer', async () => {
  zone.away = true;
  await later('7 hours');
  expect(asked()).toBe(2);
  await later('100 hours');
  expect(await status()).toBe('verified');
  expect((await now()).failingSince).toBeNull();
});

it('judges at once where patience was not asked for', async () => {
  zone.mx.delete(domain.domain);
  await later('7 hours');
  expect(await status()).toBe('warning');
  expect(standingOf(engine, await verifyDomain(engine, domain)).status).toBe('failed');
});
