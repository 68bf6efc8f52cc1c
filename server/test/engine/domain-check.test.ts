import { beforeAll, expect, it } from 'vitest';
import { checkRecords, systemDns } from '../../src/engine/domain-check.ts';
import { recordsFor } from '../../src/model/mail-domain.ts';
import { startNameServer } from '../support/dns.ts';

let server: Awaited<ReturnType<typeof startNameServer>>;
const dns = systemDns();

beforeAll(async () => {
  server = await startNameServer();
  dns.setServers([server.address]);
});

const KEY = 'M'.repeat(392);
const records = recordsFor({ domain: 'shop.example', dkimSelector: 'patchbay1', dkimPublic: KEY }, 'mail.patchbay.example');
const check = async () => Object.fromEntries((await checkRecords(records, dns)).map(({ purpose, status }) => [purpose, status]));

it('a domain that nobody set up misses everything; a server that is ill says nothing', async () => {
  expect(await check()).toEqual({ dkim: 'missing', spf: 'missing', return_path: 'missing', dmarc: 'missing' });
  server.ill = true;
  expect(await check()).toEqual({ dkim: 'unreachable', spf: 'unreachable', return_path: 'unreachable', dmarc: 'unreachable' });
  server.ill = false;
});

it('records are read as they travel: keys in pieces, names in any case, others beside them', async () => {
  server.txt['patchbay1._domainkey.shop.example'] = [`v=DKIM1; k=rsa; p=${KEY}`];
  server.txt['shop.example'] = ['google-site-verification=x', 'v=spf1 include:other.example a:MAIL.patchbay.example -all'];
  server.txt['_dmarc.shop.example'] = ['v=DMARC1; p=reject'];
  server.mx['shop.example'] = [
    { priority: 20, exchange: 'other.example' },
    { priority: 300, exchange: 'Mail.Patchbay.example' },
  ];
  expect(await check()).toEqual({ dkim: 'ok', spf: 'ok', return_path: 'ok', dmarc: 'ok' });
});

it('what is there but wrong is told apart from what is missing', async () => {
  server.txt['patchbay1._domainkey.shop.example'] = ['v=DKIM1; k=rsa; p=other'];
  server.txt['shop.example'] = ['v=spf1 a:mail.patchbay.example -all', 'v=spf1 -all'];
  server.txt['_dmarc.shop.example'] = ['v=DMARC1'];
  server.mx['shop.example'] = [{ priority: 10, exchange: 'other.example' }];
  expect(await check()).toEqual({ dkim: 'wrong', spf: 'wrong', return_path: 'wrong', dmarc: 'wrong' });
  server.mx['shop.example'] = [];
  expect(await check()).toMatchObject({ return_path: 'missing' });
});
