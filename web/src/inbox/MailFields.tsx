import { Tooltip, UnstyledButton } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Conversation } from '../api/types.ts';
import { messagesQuery } from '../api/workspace.ts';
import { useChannelOf } from '../components/ChannelIcon.tsx';
import classes from './Composer.module.css';
import { otherReaders } from './mail-readers.ts';

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

/** Who gets the mail, and its subject. */
export function MailFields({ conversation, value, onChange }: Props) {
  const [more, setMore] = useState(false);
  const { channel } = useChannelOf(conversation.channelId);
  const { data } = useInfiniteQuery(messagesQuery(conversation.id));
  const contact = (conversation.contact.identifiers ?? []).map(({ value: address }) => address);
  const messages = data?.pages.flatMap((page) => page.results) ?? [];
  const given = addressesIn(value.cc);
  const others = otherReaders(messages, channel?.sourceChannelId ?? '', contact).filter((address) => !given.includes(address));
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
        {others.length > 0 && (
          <Tooltip label={others.join(', ')} multiline maw={320}>
            <UnstyledButton
              className={classes.more}
              onClick={() => {
                setMore(true);
                onChange({ ...value, cc: [...given, ...others].join(', ') });
              }}
            >
              Answer all ({others.length + 1})
            </UnstyledButton>
          </Tooltip>
        )}
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
