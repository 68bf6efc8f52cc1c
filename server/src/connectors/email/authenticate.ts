/** Who really sent a mail: SPF, DKIM and DMARC by mailauth, kept beside the mail, never a reason to lose it. */
import type { Readable } from 'node:stream';
import type { DNSResolver } from 'mailauth';
import type { MailFacts } from './raw.ts';

const MAX_MS = 10_000;

export interface Arrival {
  ip: string;
  helo: string;
  sender: string;
  hostname: string;
}

/** The results in RFC 8601's words; `temperror` when the DNS gave none in time. */
export async function authenticateMail(raw: Readable, arrival: Arrival, resolver?: DNSResolver): Promise<NonNullable<MailFacts['auth']>> {
  // Loaded with the first mail: it costs more memory than the rest of the service, which may never meet one.
  const { authenticate } = await import('mailauth');
  const from = { ip: arrival.ip, helo: arrival.helo };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((done) => {
    timer = setTimeout(() => done(undefined), MAX_MS);
  });
  try {
    const results = await Promise.race([
      authenticate(raw, {
        ip: arrival.ip,
        helo: arrival.helo,
        sender: arrival.sender,
        mta: arrival.hostname,
        disableArc: true,
        disableBimi: true,
        ...(resolver ? { resolver } : {}),
      }),
      late,
    ]);
    if (!results) return { ...from, spf: 'temperror', dkim: 'temperror', dmarc: 'temperror' };
    const signatures = results.dkim.results.map((signature) => signature.status.result);
    return {
      ...from,
      spf: results.spf ? results.spf.status.result : 'none',
      dkim: signatures.includes('pass') ? 'pass' : (signatures[0] ?? 'none'),
      dmarc: results.dmarc ? results.dmarc.status.result : 'none',
    };
  } catch {
    // A mail that the library cannot read has no proof; it is still a mail.
    return { ...from, spf: 'permerror', dkim: 'permerror', dmarc: 'permerror' };
  } finally {
    clearTimeout(timer);
    raw.destroy();
  }
}
