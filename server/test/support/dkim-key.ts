/** A key to sign mail with, and what its domain publishes of it (RFC 6376). */
import { generateKeyPairSync } from 'node:crypto';

export interface DkimKey {
  selector: string;
  /** PEM, PKCS #8. */
  privateKey: string;
  /** Value of the TXT record at `<selector>._domainkey.<domain>`. */
  record: string;
}

/** A new 2048-bit RSA key: every receiver understands it. */
export function createDkimKey(selector: string): DkimKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    selector,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    record: `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`,
  };
}
