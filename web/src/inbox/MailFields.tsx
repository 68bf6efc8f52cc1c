import { UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import type { Conversation } from '../api/types.ts';
import classes from './Composer.module.css';

export interface MailHead {
  subject: string;
  cc: string;
  bcc: string;
}

export const NO_MAIL_HEAD: MailHead = { subject: '', cc: '', bcc: '' };

/** The addresses, however they are separated. */
export function addressesIn(text: string): string[] {
  return text.split(/[\s,;]+/).filter((word) => word !== '');
}

export function mailMeta({ cc, bcc }: MailHead): { meta?: { email: { cc?: string[]; bcc?: string[] } } } {
  const [copies, blind] = [addressesIn(cc), addressesIn(bcc)];
  if (copies.length === 0 && blind.length === 0) return {};
  return { meta: { email: { ...(copies.length > 0 ? { cc: copies } : {}), ...(blind.length > 0 ? { bcc: blind } : {}) } } };
}

interface Props {
  conversation: Conversation;
  value: MailHead;
  onChange: (value: MailHead) => void;
}

/** Subject, and who else gets the mail. */
export function MailFields({ conversation, value, onChange }: Props) {
  const [more, setMore] = useState(false);
  const field = (name: keyof MailHead, label: string, placeholder: string) => (
    <label className={classes.mailField}>
      <span>{label}</span>
      <input
        value={value[name]}
        placeholder={placeholder}
        autoComplete="off"
        onChange={(event) => onChange({ ...value, [name]: event.currentTarget.value })}
      />
    </label>
  );
  const { subject } = conversation;
  return (
    <div className={classes.mailFields}>
      <div className={classes.mailRow}>
        {field('subject', 'Subject', subject ? (/^re:/i.test(subject) ? subject : `Re: ${subject}`) : 'None')}
        {!more && (
          <UnstyledButton className={classes.more} onClick={() => setMore(true)}>
            Cc, Bcc
          </UnstyledButton>
        )}
      </div>
      {more && field('cc', 'Cc', 'anna@example.com, ben@example.com')}
      {more && field('bcc', 'Bcc', '')}
    </div>
  );
}
