/** The mail world around a Patchbay: people who write to its built-in server, and a relay that keeps what it sends. */
import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { createTransport } from 'nodemailer';
import { SMTPServer } from 'smtp-server';

export interface Relay {
  url: string;
  /** What was handed over, oldest first. */
  mails: ParsedMail[];
  close(): Promise<void>;
}

/** A relay that takes everything. */
export async function startRelay(): Promise<Relay> {
  const mails: ParsedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      simpleParser(stream).then((mail) => {
        mails.push(mail);
        done();
      }, done);
    },
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.server.address() as AddressInfo;
  return { url: `smtp://127.0.0.1:${port}`, mails, close: () => new Promise((closed) => server.close(() => closed())) };
}

/** Hands mails to the built-in server at this port; `raw` ones as they are. */
export function postbox(port: number) {
  const transport = createTransport({ host: '127.0.0.1', port, tls: { rejectUnauthorized: false } });
  return (mail: Parameters<typeof transport.sendMail>[0]) =>
    transport.sendMail({ from: 'Klara Schmidt <klara@customer.example>', to: 'Help desk <help@garden.example>', ...mail });
}
