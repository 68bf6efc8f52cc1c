/** The one way out: what it does not reach, however somebody writes it. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { createHostResolver, createHttpClient, type HttpClientOptions, isPrivateAddress } from '../../src/engine/http-client.ts';

const cleanups: (() => unknown)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(host: string, listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

function clientWith(options: HttpClientOptions) {
  const client = createHttpClient(options);
  cleanups.push(() => client.close());
  return client;
}

describe('private addresses', () => {
  it.each([
    ...['127.0.0.1', '127.8.9.10', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0'],
    ...[
      '255.255.255.255',
      '224.0.0.1',
      '::1',
      '::',
      'fe80::1',
      'fd00::1',
      'ff02::1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '64:ff9b::7f00:1',
    ],
  ])('%s is one', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  it.each(['8.8.8.8', '172.32.0.1', '192.169.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])('%s is none', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });

  it('are refused by number and by name, however they are written', async () => {
    const hits: string[] = [];
    const port = await serve('127.0.0.1', (request, response) => {
      hits.push(request.url!);
      response.end();
    });
    const client = clientWith({ allowPrivate: false });
    for (const host of ['127.0.0.1', 'localhost', '127.1', '0x7f000001', '2130706433', '[::ffff:127.0.0.1]', '0.0.0.0']) {
      await expect(client(`http://${host}:${port}/`), host).rejects.toMatchObject({ code: 'blocked-address' });
    }
    for (const url of ['file:///etc/passwd', 'ftp://127.0.0.1/']) await expect(client(url)).rejects.toMatchObject({ class: 'rejected' });
    await expect(createHostResolver({ allowPrivate: false })('localhost')).rejects.toMatchObject({ code: 'blocked-address' });
    expect(hits).toEqual([]);
    expect((await clientWith({ allowPrivate: true })(`http://127.0.0.1:${port}/allowed`)).status).toBe(200);
  });

  /** To the client 127.0.0.2 is inside and 127.0.0.1 outside, as no machine has an outside of its own. */
  const isPrivate = (address: string) => address === '127.0.0.2';

  it('are not reached by a redirect', async () => {
    const hits: string[] = [];
    const inside = await serve('127.0.0.2', (request, response) => {
      hits.push(request.url!);
      response.end('secret');
    });
    const outside = await serve('127.0.0.1', (request, response) => {
      const location = request.url === '/once' ? '/twice' : `http://127.0.0.2:${inside}/`;
      response.writeHead(302, { location }).end();
    });
    const client = clientWith({ allowPrivate: false, isPrivate });
    for (const path of ['/once', '/twice']) {
      await expect(client(`http://127.0.0.1:${outside}${path}`)).rejects.toMatchObject({ code: 'blocked-address' });
    }
    expect(hits).toEqual([]);
  });

  it('are not reached by a name that resolves anew: what was looked at is what is dialled', async () => {
    const hits: string[] = [];
    const listener = (where: string): RequestListener => {
      return (_request, response) => {
        hits.push(where);
        response.end();
      };
    };
    const port = await serve('127.0.0.1', listener('outside'));
    let asked = 0;
    const client = clientWith({
      allowPrivate: false,
      isPrivate,
      resolve: (_host, callback) => callback(null, ++asked === 1 ? '127.0.0.1' : '127.0.0.2'),
    });
    const url = `http://rebinding.example:${port}/`;
    expect((await client(url, { headers: { connection: 'close' } })).status).toBe(200);
    await expect(client(url)).rejects.toMatchObject({ code: 'blocked-address' });
    expect([asked, hits]).toEqual([2, ['outside']]);
  });
});
