import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONFIG_VARIABLES, helpText, readConfig } from '../../src/config.ts';
import { loadSecret } from '../../src/secret.ts';
import { StartError } from '../../src/start-error.ts';
import { temporaryFolder } from '../support/patchbay.ts';

function problem(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof StartError) return error.message;
    throw error;
  }
  return '';
}

describe('the configuration', () => {
  it('needs nothing', () => {
    const config = readConfig({});
    expect(config).toMatchObject({ host: '127.0.0.1', port: 3000, publicUrl: 'http://localhost:3000', smtpInboundPort: 2525 });
    expect(config.allowPrivateNetwork).toBe(false);
    expect(config.providers.get('META_GRAPH_URL')).toBe('https://graph.facebook.com');
    expect(config.providers.get('META_APP_ID')).toBeUndefined();
  });

  it('takes an empty variable for an unset one', () => {
    expect(readConfig({ PORT: '', PUBLIC_URL: ' ' }).publicUrl).toBe('http://localhost:3000');
  });

  it('builds the public address from the port, and drops a slash at its end', () => {
    expect(readConfig({ PORT: '8080' }).publicUrl).toBe('http://localhost:8080');
    expect(readConfig({ PUBLIC_URL: 'https://chat.example.com/base/' }).providers.publicUrl).toBe('https://chat.example.com/base');
  });

  const bad: [string, string][] = [
    ['PORT', '0'],
    ['PORT', '70000'],
    ['PORT', '3e3'],
    ['HOST', 'a b'],
    ['PUBLIC_URL', 'localhost:3000'],
    ['PUBLIC_URL', 'https://user:hunter2@example.com'],
    ['DATABASE_URL', 'mysql://root:hunter2@localhost/x'],
    ['DATABASE_URL', 'postgresql://me:hunter2@[bad/x'],
    ['PATCHBAY_API_KEY', 'hunter2'],
    ['PATCHBAY_WORKSPACE_ID', 'hunter2'],
    ['PATCHBAY_SECRET', 'hunter2'],
    ['ALLOWED_ORIGINS', 'https://a.example,hunter2'],
    ['ALLOWED_ORIGINS', 'https://a.example/path'],
    ['ALLOW_PRIVATE_NETWORK', 'yes please'],
    ['LOG_LEVEL', 'loud'],
    ['META_GRAPH_URL', 'ftp://example.com'],
    ['META_APP_SECRET', 'hunter2\nsecond line'],
    ['GOOGLE_SERVICE_ACCOUNT', '{"private_key":"hunter2"}'],
    ['GOOGLE_SERVICE_ACCOUNT', '{"private_key":"hunter2'],
    ['GOOGLE_SERVICE_ACCOUNT', '/no/such/hunter2'],
    ['SMTP_INBOUND_PORT', '-1'],
    ['SMTP_RELAY_URL', 'http://user:hunter2@example.com'],
  ];
  it.each(bad)('refuses a bad %s (%s) in one line that names it and repeats no value', (name, value) => {
    const message = problem({ [name]: value });
    expect(message).toMatch(new RegExp(`^${name} must `));
    expect(message).not.toContain('\n');
    expect(message).not.toContain('hunter2');
  });

  it('reads a service account from its file', async () => {
    const path = join(await temporaryFolder(), 'account.json');
    const json = JSON.stringify({ client_email: 'a@b.c', private_key: 'x' });
    await writeFile(path, json);
    expect(readConfig({ GOOGLE_SERVICE_ACCOUNT: path }).providers.get('GOOGLE_SERVICE_ACCOUNT')).toBe(json);
    expect(readConfig({ GOOGLE_SERVICE_ACCOUNT: json }).providers.get('GOOGLE_SERVICE_ACCOUNT')).toBe(json);
  });

  it('gives the origins that may call with credentials', () => {
    expect(readConfig({ ALLOWED_ORIGINS: 'https://a.example, http://localhost:8080/' }).allowedOrigins).toEqual([
      'https://a.example',
      'http://localhost:8080',
    ]);
  });

  it('names the variable that a connector misses, and keeps what is not theirs', () => {
    const { providers } = readConfig({ DATABASE_URL: 'postgresql://me:hunter2@localhost/x' });
    expect(() => providers.require('TWILIO_AUTH_TOKEN')).toThrow(
      expect.objectContaining({ code: 'setting-missing', message: expect.stringContaining('TWILIO_AUTH_TOKEN') }),
    );
    expect(providers.get('DATABASE_URL')).toBeUndefined();
  });

  it('lists every variable in the help', () => {
    const help = helpText();
    for (const { name } of CONFIG_VARIABLES) expect(help).toContain(`  ${name} `);
  });
});

describe('the secret', () => {
  it('is made once, readable by its owner alone', async () => {
    const dataDir = join(await temporaryFolder(), 'data');
    const secrets = await Promise.all([loadSecret(dataDir), loadSecret(dataDir)]);
    expect(secrets[0]).toHaveLength(32);
    expect(secrets[1]).toEqual(secrets[0]);
    expect(await loadSecret(dataDir)).toEqual(secrets[0]);
    expect((await stat(join(dataDir, 'secret'))).mode & 0o777).toBe(0o600);
  });

  it('is refused when the file holds something else', async () => {
    const dataDir = await temporaryFolder();
    await writeFile(join(dataDir, 'secret'), 'hunter2');
    await expect(loadSecret(dataDir)).rejects.toThrow(/DATA_DIR: the file .*secret must be 32 bytes/);
  });
});
