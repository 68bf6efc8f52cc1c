import { Button } from '@mantine/core';
import { IconCode, IconMail } from '@tabler/icons-react';
import { lazy, Suspense, useMemo, useState } from 'react';
import type { EmailContent, MailAddress } from '../../../../server/src/model/content.ts';
import classes from './content.module.css';
import { Files } from './Files.tsx';
import { LinkedText } from './LinkedText.tsx';
import { MailFrame } from './MailFrame.tsx';
import { type MailFacts, MailNotes } from './MailNotes.tsx';
import { framedMail, isInline } from './mail-frame.ts';

const MessageSource = lazy(() => import('./MessageSource.tsx').then(({ MessageSource }) => ({ default: MessageSource })));

/** A mail: who, what about, the new part first; quoted history folds out, pictures of others load only when asked for. */
export function EmailView({ email, messageId }: { email: EmailContent & { facts?: MailFacts }; messageId?: string }) {
  const [whole, setWhole] = useState(false);
  const [source, setSource] = useState(false);
  const framed = useMemo(() => (email.html ? framedMail(email, false) : undefined), [email]);
  const quoted = Boolean(email.reply && email.reply.trim() !== email.text.trim());
  // The frame folds the history it can tell; what only the text tells is left out until somebody wants it.
  const cut = quoted && !framed?.folded && !whole;
  const attachments = email.attachments?.filter((media) => !isInline(media, email.html)) ?? [];
  return (
    <div className={classes.email}>
      <div className={classes.mailHead}>
        <IconMail size={16} aria-hidden />
        <div>
          <strong dir="auto">{email.subject || '(no subject)'}</strong>
          <People email={email} />
        </div>
      </div>
      <MailNotes facts={email.facts} />
      {framed && !cut ? <MailFrame email={email} framed={framed} /> : <LinkedText text={cut ? email.reply! : email.text} />}
      {attachments.length > 0 && <Files files={attachments} />}
      <div className={classes.mailTools}>
        {quoted && !framed?.folded && (
          <Button size="compact-xs" variant="default" onClick={() => setWhole(!whole)} aria-expanded={whole}>
            {whole ? 'Show the new part alone' : 'Show the whole mail'}
          </Button>
        )}
        {messageId && (
          <Button size="compact-xs" variant="subtle" color="gray" leftSection={<IconCode size={14} />} onClick={() => setSource(true)}>
            Original
          </Button>
        )}
      </div>
      {source && messageId && (
        <Suspense>
          <MessageSource messageId={messageId} onClose={() => setSource(false)} />
        </Suspense>
      )}
    </div>
  );
}

const PARTS: [keyof Pick<EmailContent, 'to' | 'cc' | 'bcc' | 'replyTo'>, string][] = [
  ['to', 'To'],
  ['cc', 'Cc'],
  ['bcc', 'Bcc'],
  ['replyTo', 'Answers to'],
];

/** Who wrote it and who reads it: in one line, in full when opened. */
function People({ email }: { email: EmailContent }) {
  const readers = [...(email.to ?? []), ...(email.cc ?? []), ...(email.bcc ?? [])];
  if (!email.from && readers.length === 0) return null;
  const [first] = readers;
  const others = readers.length > 1 ? ` and ${readers.length - 1} more` : '';
  return (
    <details className={classes.people}>
      <summary>
        {[email.from && (email.from.name || email.from.address), first && `to ${first.name || first.address}${others}`]
          .filter(Boolean)
          .join(' ')}
      </summary>
      <dl>
        {email.from && <Person part="From" addresses={[email.from]} />}
        {PARTS.map(([key, part]) => email[key]?.length && <Person key={key} part={part} addresses={email[key]} />)}
      </dl>
    </details>
  );
}

function Person({ part, addresses }: { part: string; addresses: MailAddress[] }) {
  return (
    <div>
      <dt>{part}</dt>
      <dd>{addresses.map(({ name, address }) => (name ? `${name} <${address}>` : address)).join(', ')}</dd>
    </div>
  );
}
